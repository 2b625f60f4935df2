/**
 * S2, claim and renew: a send worker takes the lease of a dispatched chunk and keeps it while it works.
 * Every statement compares the epoch: a stale, doubled or late job finds nothing to take, and ends.
 */
import type { Sql } from '../platform/mysql.ts';
import { chunkValues, chunkWhere, type Grant } from './grant.ts';
import { defaultLeaseMs, leaseEnd } from './lease.ts';
import { chunkStates } from './states.ts';

/**
 * Takes the lease for `owner`; true when it is ours now. Claiming again what we hold already is also true, so that a claim whose answer
 * was lost can be repeated. If we die right after, the lease runs out and the chunk is taken over: nothing was attempted.
 */
export async function claimGrant(
  sql: Sql,
  grant: Grant,
  owner: string,
  leaseMs = defaultLeaseMs,
): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET state = ${chunkStates.leased}, owner = ?, lease_until = ${leaseEnd(leaseMs)}
     WHERE ${chunkWhere} AND epoch = ?
       AND (state = ${chunkStates.dispatched} OR (state = ${chunkStates.leased} AND owner = ?))`,
    [owner, ...chunkValues(grant), grant.epoch, owner],
  );
  return affectedRows === 1;
}

/**
 * A renderer puts its name on a dispatched chunk and gets a full term to render it. Should it die of it, the takeover counts a crash. False: the
 * grant is stale, or a send worker has claimed it already (a job that came twice).
 */
export async function beginRendering(
  sql: Sql,
  grant: Grant,
  owner: string,
  leaseMs = defaultLeaseMs,
): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET owner = ?, lease_until = ${leaseEnd(leaseMs)} WHERE ${chunkWhere} AND epoch = ? AND state = ${chunkStates.dispatched}`,
    [owner, ...chunkValues(grant), grant.epoch],
  );
  return affectedRows === 1;
}

/**
 * The renderer takes its name off again, when it is done or has failed, and the messages get a full term to be claimed in. What then waits longer than that waits for send
 * workers, and is nobody's crash: with the name left on, an outage of theirs would look like poison.
 */
export async function finishRendering(
  sql: Sql,
  grant: Grant,
  owner: string,
  leaseMs = defaultLeaseMs,
): Promise<void> {
  await sql.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET owner = NULL, lease_until = ${leaseEnd(leaseMs)}
     WHERE ${chunkWhere} AND epoch = ? AND state = ${chunkStates.dispatched} AND owner = ?`,
    [...chunkValues(grant), grant.epoch, owner],
  );
}

/**
 * Renews all the leases of `owner` in one statement; answers the grants that are no longer ours. By the primary key: found by their state they
 * would be found among all that are leased, and each of those locked to be looked at.
 */
export async function renewLeases(
  sql: Sql,
  grants: readonly Grant[],
  owner: string,
  leaseMs = defaultLeaseMs,
): Promise<readonly Grant[]> {
  if (grants.length === 0) return [];
  const theirs = grants.map(() => `(${chunkWhere} AND epoch = ?)`).join(' OR ');
  const keys = grants.flatMap((grant) => [...chunkValues(grant), grant.epoch]);
  const held = `owner = ? AND state = ${chunkStates.leased} AND (${theirs})`;
  const { affectedRows } = await sql.write(
    `UPDATE chunks FORCE INDEX (PRIMARY) SET lease_until = ${leaseEnd(leaseMs)} WHERE ${held}`,
    [owner, ...keys],
  );
  if (affectedRows === grants.length) return [];
  return findLost(sql, grants, held, [owner, ...keys]);
}

async function findLost(
  sql: Sql,
  grants: readonly Grant[],
  held: string,
  values: unknown[],
): Promise<readonly Grant[]> {
  type Row = { tenant_id: number; campaign_id: number; chunk_no: number };
  const rows = await sql.rows<Row>(
    `SELECT tenant_id, campaign_id, chunk_no FROM chunks FORCE INDEX (PRIMARY) WHERE ${held}`,
    values,
  );
  const kept = new Set(rows.map((row) => `${row.tenant_id}-${row.campaign_id}-${row.chunk_no}`));
  return grants.filter((grant) => !kept.has(`${grant.tenantId}-${grant.campaignId}-${grant.chunkNo}`));
}
