/** Workers that died, for the tests of what comes after. */

import type { Database } from '../platform/mysql.ts';
import { assertCounts } from '../testing/assert-ledger.ts';
import { waitForLockWait } from '../testing/lock-wait.ts';
import {
  createTestLedger,
  expireLease,
  leaseChunk,
  type TestLedger,
  type TestLedgerOptions,
} from '../testing/test-ledger.ts';
import type { Grant } from './grant.ts';
import { recordIntent } from './intent.ts';
import { recountChunk } from './late-truth.ts';
import { chunkStates } from './states.ts';
import { takeOverExpired, toChunkKey } from './takeover.ts';

export const owner = 'me';
export const rules = { retryStepMs: 100 };

export const takeOver = (db: Database) => takeOverExpired(db, rules, { limit: 100 });

export async function emptyLedger(db: Database): Promise<void> {
  for (const table of ['campaigns', 'campaign_counters', 'chunks', 'deliveries', 'lanes'])
    await db.write(`DELETE FROM ${table}`);
}

/** Recounting each chunk settles what is under way; a counter that has drifted from its chunks stays wrong. */
export async function assertNoDrift(db: Database): Promise<void> {
  const rows = await db.rows<Parameters<typeof toChunkKey>[0]>(
    'SELECT tenant_id, campaign_id, chunk_no, part FROM chunks',
  );
  for (const row of rows) await recountChunk(db, toChunkKey(row), rules);
  await assertCounts(db);
}

/** A worker that died with `attempting` messages on the wire. */
export async function crash(
  db: Database,
  attempting: number,
  options: TestLedgerOptions = {},
): Promise<{ ledger: TestLedger; grant: Grant }> {
  const ledger = await createTestLedger(db, { size: 4, ...options });
  const grant = await leaseChunk(db, ledger, owner);
  const seqs = Array.from({ length: attempting }, (_, seq) => seq);
  if (attempting > 0) await recordIntent(db, { grant, owner, seqs, includedLists: [] });
  await expireLease(db, grant);
  return { ledger, grant };
}

/** Starts `contender` while a worker takes the chunk: it has read it as pending and waits for its lock. */
export async function whileLeasing<T>(
  db: Database,
  ledger: TestLedger,
  contender: () => Promise<T>,
): Promise<T> {
  let contending: Promise<T> | undefined;
  await db.transaction(async (tx) => {
    await tx.write(`UPDATE chunks SET state = ${chunkStates.leased}, owner = ? WHERE campaign_id = ?`, [
      owner,
      ledger.campaignId,
    ]);
    contending = contender();
    await waitForLockWait(db, ledger.campaignId);
  });
  return contending as Promise<T>;
}
