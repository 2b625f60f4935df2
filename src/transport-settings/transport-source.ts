/** Gives the send stage its transports, one for each destination: settings from the table, secrets opened, connections not yet. */
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/mysql.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import type { Place, TransportSource } from '../send/sender-pool.ts';
import { placeFields } from '../tracing/chunk-names.ts';
import { connectionLimitsOf, destinationLimitsOf } from '../transports/destination-limits.ts';
import type { HostPolicy } from '../transports/host-policy.ts';
import { openTransport } from '../transports/open-transport.ts';
import type { ReplyRuleSource } from './reply-rule-source.ts';
import { toConfiguration } from './transport-secrets.ts';
import { readAnyTransport, readTransportVersions } from './transport-store.ts';

export interface TransportSourceOptions {
  readonly db: Sql;
  readonly log: Log;
  readonly secretsKey: Buffer;
  readonly hostPolicy: HostPolicy;
  /** Without it, the shipped rules alone. */
  readonly replyRules?: ReplyRuleSource;
}

export function createTransportSource(options: TransportSourceOptions): TransportSource {
  const { db, log, secretsKey, hostPolicy, replyRules } = options;
  const secretBox = createSecretBox(secretsKey);
  return {
    async open(place) {
      const stored = await readAnyTransport(db, place.transportId);
      const name = await readDestinationName(db, place);
      if (!stored || name === undefined) {
        log.warn(placeFields(place), 'no such transport, or destination of it');
        return undefined;
      }
      const { destinationMode: mode, tenantId: owner, version } = stored;
      await replyRules?.watch(owner);
      const transport = openTransport({
        ...toConfiguration(stored, secretBox, hostPolicy),
        limits: connectionLimitsOf(stored.limits, mode, name),
        destination: name,
        rules: replyRules && (() => replyRules.rulesOf(owner)),
      });
      const limits = destinationLimitsOf(stored.limits, mode, name);
      return { transport, version, perSecond: stored.limits.perSecond, limits };
    },
    readVersions: (ids) => readTransportVersions(db, ids),
  };
}

async function readDestinationName(
  db: Sql,
  { destinationId, transportId }: Place,
): Promise<string | undefined> {
  const row = await db.first<{ name: string }>(
    'SELECT name FROM destinations WHERE id = ? AND transport_id = ?',
    [destinationId, transportId],
  );
  return row?.name;
}
