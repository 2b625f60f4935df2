/** Which destination of a transport an address belongs to: the unit of pacing (DESIGN 5 and 6). Pure and stable. */
import { providerOf } from './provider-domains.ts';

/** `transport`: its limits hold for all of it, as with a relay that does its own spreading. `provider`: per mailbox provider. */
export type DestinationMode = 'transport' | 'provider';

/** What the tail's destinations are called, and how their limits are set together. */
export const tailName = 'other';

/** A transport as a whole, as a destination. */
export const wholeName = 'all';

/** The long tail shares this many destinations, so that their number doesn't grow with the audience. */
export const tailBuckets = 8;

/**
 * The destination's key within its transport: `all`, a provider's name, or `other-0` to `other-7`.
 * Stored with chunks and in pacing state: the same domain must give the same key in every release.
 */
export function destinationOf(mode: DestinationMode, domain: string): string {
  if (mode === 'transport') return wholeName;
  return providerOf(domain) ?? `${tailName}-${hash(domain.toLowerCase()) % tailBuckets}`;
}

/** FNV-1a, 32 bits, folded: its lowest bits alone are weak. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
