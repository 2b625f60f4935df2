/** Destinations, lanes and paces put straight into the tables and into Redis, for tests of what shows them. */
import { newId, type TenantId } from '../ids.ts';
import { partOf } from '../ledger/partitions.ts';
import type { Pace } from '../pacing/pace.ts';
import { encodePace } from '../pacing/pace-coding.ts';
import { closedKey, paceKey } from '../pacing/pace-keys.ts';
import type { Sql } from '../platform/mysql.ts';
import type { TestApi } from '../testing/test-api.ts';
import { transportLimits } from '../transports/smtp-settings.ts';

export interface TestDestinationOptions {
  readonly owner: TenantId | null;
  readonly name?: string;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly transportId?: number;
}

/** A transport, unless one is named, and a destination of it. */
export async function insertDestination(sql: Sql, options: TestDestinationOptions) {
  const { owner, name = 'all', limits = {} } = options;
  const transportId = options.transportId ?? newId('transport');
  if (options.transportId === undefined) {
    await sql.write(
      `INSERT INTO transports (id, tenant_id, name, kind, settings, limits, destination_mode, created_at, updated_at)
       VALUES (?, ?, ?, 'smtp', '{"host":"relay.example","port":25,"tls":"none"}', ?, ?, NOW(3), NOW(3))`,
      [
        ...[transportId, owner, `relay ${transportId}`, JSON.stringify(transportLimits.parse(limits))],
        name === 'all' ? 'transport' : 'provider',
      ],
    );
  }
  const { insertId } = await sql.write('INSERT INTO destinations (transport_id, name) VALUES (?, ?)', [
    transportId,
    name,
  ]);
  return { transportId, destinationId: insertId };
}

export interface TestLaneOptions {
  readonly tenantId: TenantId;
  readonly destinationId: number;
  readonly class?: number;
  readonly campaignId?: number;
  /** Pending chunks, and messages in each. */
  readonly chunks?: number;
  readonly fresh?: number;
  readonly retry?: number;
  readonly dueInSeconds?: number;
  /** Messages of one more chunk that a worker holds. */
  readonly outstanding?: number;
  /** Messages that this chunk has, if more. */
  readonly outstandingOf?: number;
}

const chunksPerInsert = 2_000;

export async function insertLane(sql: Sql, options: TestLaneOptions): Promise<void> {
  const { tenantId, destinationId, class: deliveryClass = 2, dueInSeconds = 0 } = options;
  await sql.write(
    `INSERT INTO lanes (tenant_id, destination_id, class, next_due_at) VALUES (?, ?, ?, NOW(3) + INTERVAL ? SECOND)
     ON DUPLICATE KEY UPDATE next_due_at = LEAST(next_due_at, VALUES(next_due_at))`,
    [tenantId, destinationId, deliveryClass, dueInSeconds],
  );
  await insertChunks(sql, options);
}

async function insertChunks(sql: Sql, options: TestLaneOptions): Promise<void> {
  const { tenantId, destinationId, class: deliveryClass = 2, chunks = 1, fresh = 0, retry = 0 } = options;
  const { campaignId = newId('campaign'), dueInSeconds = 0, outstanding = 0 } = options;
  const { outstandingOf = outstanding } = options;
  const first = await sql.first<{ no: number }>(
    'SELECT COALESCE(MAX(chunk_no), -1) + 1 AS no FROM chunks WHERE tenant_id = ? AND campaign_id = ?',
    [tenantId, campaignId],
  );
  const row = (no: number, state: number, grant: number, counts: readonly [number, number]) => [
    ...[tenantId, campaignId, (first?.no ?? 0) + no, partOf(Date.now()), destinationId, deliveryClass],
    ...[state, counts[0] === 0 && counts[1] > 0 ? 1 : 0, grant, new Date(Date.now() + dueInSeconds * 1_000)],
    ...[Math.max(1, counts[0] + counts[1]), ...counts],
  ];
  const rows = Array.from({ length: chunks }, (_, no) => row(no, 0, 0, [fresh, retry]));
  if (outstanding > 0) rows.push(row(chunks, 2, outstanding, [outstandingOf, 0]));
  for (let at = 0; at < rows.length; at += chunksPerInsert) {
    await sql.write(
      `INSERT INTO chunks (tenant_id, campaign_id, chunk_no, part, destination_id, class, state, is_retry, grant_n, due_at, size,
         n_pending, n_deferred) VALUES ?`,
      [rows.slice(at, at + chunksPerInsert)],
    );
  }
}

export const quickPace: Pace = {
  windowMessages: 300,
  learntPerSecond: undefined,
  measuredPerSecond: 100,
  breaker: 'closed',
  closedForMs: 0,
  limitedBy: 'none',
  inFlight: 12,
  connections: 3,
  lastReplies: [],
};

/** As the leader publishes it. */
export async function publishPace(
  { redis, config }: Pick<TestApi, 'redis' | 'config'>,
  destinationId: number,
  changes: Partial<Pace>,
): Promise<void> {
  const pace = { ...quickPace, ...changes };
  const memory = { windowMessages: pace.windowMessages };
  await redis.set(paceKey(config.REDIS_PREFIX, destinationId), encodePace({ pace, memory }));
  if (pace.closedForMs > 0)
    await redis.set(closedKey(config.REDIS_PREFIX, destinationId), '1', 'PX', pace.closedForMs);
}

/** Rows and index entries that the engine reads for `work`, which must use the given connection. */
export async function countReads(tx: Sql, work: () => Promise<unknown>): Promise<number> {
  const before = await readsSoFar(tx);
  await work();
  return (await readsSoFar(tx)) - before;
}

async function readsSoFar(tx: Sql): Promise<number> {
  const rows = await tx.rows<{ Value: string }>(
    "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_key', 'Handler_read_next', 'Handler_read_prev')",
  );
  return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
}
