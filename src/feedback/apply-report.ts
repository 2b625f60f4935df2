/**
 * A report's effects, in one transaction: the delivery, the suppression, the chunk's counts and the campaign's counters.
 * If we die before the commit is answered, it happened whole or not at all, the sender was not told 250 and comes again;
 * the second time everything is there already and nothing changes.
 */
import { suppressAddresses } from '../audience/suppression-store.ts';
import type { DeliveryKey } from '../ledger/delivery-id.ts';
import type { DueRules } from '../ledger/due.ts';
import { chunkValues, chunkWhere } from '../ledger/grant.ts';
import { recountLocked } from '../ledger/late-truth.ts';
import { lockChunk } from '../ledger/recount.ts';
import { deliveryStateName, deliveryStates } from '../ledger/states.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import type { TellingReport } from './report.ts';
import { type Settlement, settleByReport } from './settle-policy.ts';

/** `gone`: the delivery's week has been dropped, or its campaign deleted. `none`: it was known already. */
export type Effect = 'settled' | 'none' | 'gone';

export interface AppliedReport {
  readonly key: DeliveryKey;
  readonly report: TellingReport;
  readonly rules: DueRules;
}

/** Locks, in the ledger's order: the chunk, the delivery, the suppression, then a counter slot and the lane. */
export function applyReport(db: Database, { key, report, rules }: AppliedReport): Promise<Effect> {
  return db.transaction(async (tx) => {
    const chunk = await lockChunk(tx, key);
    const row = chunk && (await lockDelivery(tx, key));
    if (!row) return 'gone';
    const settlement = settleByReport(report, { ...row, state: deliveryStateName(row.state) });
    if (settlement.suppression) {
      const entry = { addressHash: row.addressHash, scope: '*', ...settlement.suppression } as const;
      await suppressAddresses(tx, key.tenantId, [entry]);
    }
    if (!settlement.state) return 'none';
    await settleDelivery(tx, key, report, settlement);
    await recountLocked(tx, key, chunk, rules);
    return 'settled';
  });
}

interface DeliveryRow {
  readonly state: number;
  readonly attempts: number;
  readonly settledBy: string | null;
  readonly addressHash: Buffer;
}

/** Outcomes (S4) are written without the chunk's lock: the row's own is needed too. */
function lockDelivery(tx: Sql, key: DeliveryKey): Promise<DeliveryRow | undefined> {
  return tx.first<DeliveryRow>(
    `SELECT state, attempts, settled_by AS settledBy, address_hash AS addressHash FROM deliveries
     WHERE ${chunkWhere} AND seq = ? FOR UPDATE`,
    [...chunkValues(key), key.seq],
  );
}

async function settleDelivery(
  tx: Sql,
  key: DeliveryKey,
  report: TellingReport,
  { state = 'sent', isSettledByFeedback }: Settlement,
): Promise<void> {
  const failure = report.kind === 'failed' ? report : undefined;
  await tx.write(
    `UPDATE deliveries SET state = ?, reply_code = ?, reason = ?, outcome_at = NOW(3), next_attempt_at = NULL
       ${isSettledByFeedback ? ", settled_by = 'feedback'" : ''}
     WHERE ${chunkWhere} AND seq = ?`,
    [deliveryStates[state], failure?.replyCode ?? 0, failure?.reason ?? null, ...chunkValues(key), key.seq],
  );
}
