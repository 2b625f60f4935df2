/** Names that a transport's limits may speak of. */
import { tailName } from './destination-key.ts';
import { providersByMx } from './mx-providers.ts';
import { providersByDomain } from './provider-domains.ts';

const destinationNames: ReadonlySet<string> = new Set([tailName, ...providersByDomain, ...providersByMx]);

export function isDestinationName(name: string): boolean {
  return destinationNames.has(name);
}
