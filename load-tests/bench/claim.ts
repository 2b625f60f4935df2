/**
 * What taking chunks costs: S1 (dispatch) for many at once, S2 (claim) one by one, renewal for all of a worker. Run after `npm run build`:
 *
 *   DATABASE_URL=... node dist/load-tests/bench/claim.js [--quick]
 */
import { dispatchGrants } from '../../src/dispatch/dispatch-store.ts';
import { claimGrant, renewLeases } from '../../src/ledger/claim.ts';
import { createTestDatabase } from '../../src/testing/test-database.ts';
import { alwaysLeading, createTestLedger } from '../../src/testing/test-ledger.ts';
import { isQuick, measure } from './stopwatch.ts';

const rounds = isQuick ? 2 : 4;
const chunks = isQuick ? 60 : 200;
const { db, drop } = await createTestDatabase();
try {
  const ledger = await createTestLedger(db, { chunks, size: 500 });
  const keys = Array.from({ length: chunks }, (_, chunkNo) => ledger.key(chunkNo));
  const grantsAt = (epoch: number) => keys.map((key) => ({ ...key, epoch, n: 500 }));
  let epoch = 0;
  const dispatch = async () => {
    await db.write('UPDATE chunks SET state = 0');
    return dispatchGrants(
      db,
      alwaysLeading,
      grantsAt(epoch++).map((grant) => ({ lane: ledger.lane, grant })),
    );
  };
  await measure(`S1 of ${chunks} chunks in one pass, by chunk`, dispatch, {
    count: 1,
    items: chunks,
    rounds,
  });
  const granted = grantsAt(epoch);
  const claim = (n: number) => claimGrant(db, granted[n % chunks] as (typeof granted)[number], 'bench');
  if (!(await claim(0))) throw new Error('the chunk was not claimed');
  await measure('S2, one chunk', claim, { count: chunks, rounds });
  await measure('S2, by message of a chunk of 500', claim, { count: chunks, items: 500, rounds });
  await measure(`renewal of ${chunks} leases at once, by chunk`, () => renewLeases(db, granted, 'bench'), {
    count: 3,
    items: chunks,
    rounds,
  });
} finally {
  await drop();
}
process.exit(0);
