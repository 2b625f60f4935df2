/**
 * Sending domains that rest at a destination because it refuses them for policy: one row each, until it ends. Refusals of a domain say
 * nothing of addresses: nothing here suppresses any, and what was deferred stays due.
 */
import { chunkStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import type { Reply } from '../transports/contract.ts';

export interface SenderPause {
  readonly tenantId: number;
  readonly destinationId: number;
  /** Of the From address, lower case. */
  readonly domain: string;
  readonly durationMs: number;
  /** The refusal, without addresses. */
  readonly reply: Reply;
}

/**
 * Pauses, or extends a pause: it never ends earlier than it already would. One statement, on one row that only this tenant's workers write; call it
 * at most once a second for each. If we die before it, the next refusal says the same again.
 */
export async function pauseSender(sql: Sql, pause: SenderPause): Promise<void> {
  const { tenantId, destinationId, domain, durationMs, reply } = pause;
  // Assigned from left to right: `until` last, for the others ask whether it was over.
  await sql.write(
    `INSERT INTO sender_pauses (tenant_id, destination_id, domain, \`until\`, reply_code, reply, refusals, first_at, last_at)
     VALUES (?, ?, ?, NOW(3) + INTERVAL ? MICROSECOND, ?, ?, 1, NOW(3), NOW(3))
     ON DUPLICATE KEY UPDATE first_at = IF(\`until\` < NOW(3), NOW(3), first_at), refusals = IF(\`until\` < NOW(3), 1, refusals + 1),
       reply_code = VALUES(reply_code), reply = VALUES(reply), last_at = NOW(3), \`until\` = GREATEST(\`until\`, VALUES(\`until\`))`,
    [tenantId, destinationId, domain, Math.round(durationMs * 1000), reply.code, replyText(reply)],
  );
}

export interface ActivePause {
  readonly destinationId: number;
  readonly destination: string;
  readonly transportId: number;
  readonly domain: string;
  readonly until: Date;
  readonly replyCode: number;
  readonly reply: string;
  readonly refusals: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

export interface PausePage {
  readonly afterDestinationId: number;
  readonly afterDomain: string;
  readonly limit: number;
}

/** A tenant's pauses that are not over, by destination and domain. */
export function listSenderPauses(
  sql: Sql,
  tenantId: number,
  { afterDestinationId, afterDomain, limit }: PausePage,
): Promise<ActivePause[]> {
  return sql.rows<ActivePause>(
    `SELECT p.destination_id AS destinationId, d.name AS destination, d.transport_id AS transportId, p.domain, p.until,
       p.reply_code AS replyCode, p.reply, p.refusals, p.first_at AS firstAt, p.last_at AS lastAt
     FROM sender_pauses p JOIN destinations d ON d.id = p.destination_id
     WHERE p.tenant_id = ? AND p.until > NOW(3)
       AND (p.destination_id > ? OR (p.destination_id = ? AND p.domain > ?))
     ORDER BY p.destination_id, p.domain LIMIT ?`,
    [tenantId, afterDestinationId, afterDestinationId, afterDomain, limit],
  );
}

/**
 * Ends a pause now, in the caller's transaction; false when there is none. What the dispatcher has set back because of it comes forward again, retries
 * by themselves within five minutes. If the destination still refuses, the next refusals pause it again.
 */
export async function resumeSender(
  tx: Sql,
  { tenantId, destinationId, domain }: Pick<SenderPause, 'tenantId' | 'destinationId' | 'domain'>,
): Promise<boolean> {
  const { affectedRows } = await tx.write(
    'DELETE FROM sender_pauses WHERE tenant_id = ? AND destination_id = ? AND domain = ? AND `until` > NOW(3)',
    [tenantId, destinationId, domain],
  );
  if (affectedRows === 0) return false;
  await bringForward(tx, { tenantId, destinationId, domain });
  await tx.write(
    'UPDATE lanes FORCE INDEX (PRIMARY) SET next_due_at = NOW(3) WHERE tenant_id = ? AND destination_id = ?',
    [tenantId, destinationId],
  );
  return true;
}

const campaignsAtOnce = 1_000;
const chunksAtOnce = 10_000;

/** By `by_lane`: fresh chunks that were set back, of the domain's campaigns. Those of a campaign with a rate of its own are set back again if need be. */
async function bringForward(
  tx: Sql,
  { tenantId, destinationId, domain }: Pick<SenderPause, 'tenantId' | 'destinationId' | 'domain'>,
): Promise<void> {
  const campaigns = await tx.rows<{ id: number }>(
    `SELECT id FROM campaigns WHERE tenant_id = ? AND state IN ('expanding', 'sending') AND sending_domain = ? LIMIT ${campaignsAtOnce}`,
    [tenantId, domain],
  );
  if (campaigns.length === 0) return;
  await tx.write(
    `UPDATE chunks FORCE INDEX (by_lane) SET due_at = NOW(3)
     WHERE tenant_id = ? AND destination_id = ? AND class IN (0, 1, 2) AND state = ${chunkStates.pending} AND is_retry = 0
       AND due_at > NOW(3) AND due_at < NOW(3) + INTERVAL 1 DAY AND campaign_id IN (?) LIMIT ${chunksAtOnce}`,
    [tenantId, destinationId, campaigns.map(({ id }) => id)],
  );
}

function replyText({ enhanced, text }: Reply): string {
  return `${enhanced ?? ''} ${text}`.trim().slice(0, 240);
}
