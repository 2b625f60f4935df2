/** Gives the send stage its transports: settings from the table, secrets opened, connections not yet. */
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/mysql.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import type { TransportSource } from '../send/transport-pool.ts';
import type { HostPolicy } from '../transports/host-policy.ts';
import { openTransport } from '../transports/open-transport.ts';
import { toConfiguration } from './transport-secrets.ts';
import { readAnyTransport, readTransportVersions } from './transport-store.ts';

export interface TransportSourceOptions {
  readonly db: Sql;
  readonly log: Log;
  readonly secretsKey: Buffer;
  readonly hostPolicy: HostPolicy;
}

export function createTransportSource(options: TransportSourceOptions): TransportSource {
  const { db, log, secretsKey, hostPolicy } = options;
  const secretBox = createSecretBox(secretsKey);
  return {
    async open(transportId) {
      const stored = await readAnyTransport(db, transportId);
      if (!stored) {
        log.warn({ transportId }, 'no such transport');
        return undefined;
      }
      const transport = openTransport(toConfiguration(stored, secretBox, hostPolicy));
      return { transport, version: stored.version, perSecond: stored.limits.perSecond };
    },
    readVersions: (ids) => readTransportVersions(db, ids),
  };
}
