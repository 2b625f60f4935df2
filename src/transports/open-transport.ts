/** Makes a transport of the configured kind: the only place that knows which kinds there are. */
import type { Transport } from './contract.ts';
import type { HostPolicy } from './host-policy.ts';
import type { OwnRules } from './reply-rule.ts';
import { servingDestination } from './serving-destination.ts';
import type { SmtpSecret, SmtpSettings, TransportLimits } from './smtp-settings.ts';
import { smtpTransport } from './smtp-transport.ts';

export interface TransportConfiguration {
  readonly kind: 'smtp';
  readonly settings: SmtpSettings;
  /** Needed when the settings ask for authentication. */
  readonly secret?: SmtpSecret | undefined;
  readonly limits: TransportLimits;
  /** The destination that it serves, by name. Without it, refusals do what their rules say wherever they are said. */
  readonly destination?: string | undefined;
  readonly hostPolicy: HostPolicy;
  /** Asked before the shipped rules. */
  readonly rules?: OwnRules | undefined;
}

/** Opens no connection yet; couriers do. */
export function openTransport(configuration: TransportConfiguration): Transport {
  switch (configuration.kind) {
    case 'smtp':
      return servingDestination(smtpTransport(configuration), configuration.destination);
  }
}
