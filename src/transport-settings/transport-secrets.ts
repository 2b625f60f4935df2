/** A transport's secret between the API, its row and the connection that needs it. */
import type { TransportId } from '../ids.ts';
import type { SecretBox } from '../platform/secret-box.ts';
import type { HostPolicy } from '../transports/host-policy.ts';
import type { TransportConfiguration } from '../transports/open-transport.ts';
import { type SmtpSecret, smtpSecret } from '../transports/smtp-settings.ts';
import type { StoredTransport, TransportOwner } from './transport-store.ts';

export interface SecretPlace {
  readonly owner: TransportOwner;
  readonly id: TransportId;
}

export function sealTransportSecret(box: SecretBox, place: SecretPlace, secret: SmtpSecret): Buffer {
  return box.seal(JSON.stringify(secret), boundTo(place));
}

/** All that opening the transport needs. Throws `unavailable` when its secret doesn't open with our key. */
export function toConfiguration(
  transport: StoredTransport,
  box: SecretBox,
  hostPolicy: HostPolicy,
): TransportConfiguration {
  const { kind, settings, limits, secret, id, tenantId: owner } = transport;
  const opened = secret && smtpSecret.parse(JSON.parse(box.open(secret, boundTo({ owner, id }))));
  return { kind, settings, limits, hostPolicy, ...(opened && { secret: opened }) };
}

/** A sealed secret that is copied into another tenant's transport must not open there. */
function boundTo({ owner, id }: SecretPlace): string {
  return `transport ${owner ?? 'platform'} ${id}`;
}
