import { expect, test } from 'vitest';
import { leaseTermsOf } from '../ledger/lease.ts';
import { testGrant, testMessages } from './fixtures.ts';
import { GrantRun } from './grant-run.ts';
import { mostBeyondTheWire, OpenBudget } from './open-budget.ts';

test('counts what is out over all runs, less what is on the wire', async () => {
  const budget = new OpenBudget();
  const run = () =>
    new GrantRun({
      ...{ grant: testGrant, compiled: { digest: '', segments: [] }, messages: testMessages(100), class: 2 },
      ...{
        terms: { includedLists: [], buckets: [], sendingDomain: null },
        claimedAt: 0,
        lease: leaseTermsOf(30_000),
        budget,
      },
    });
  const [one, other] = [run(), run()];
  one.take(60);
  other.take(60);
  expect(budget.free).toBe(mostBeyondTheWire - 120);
  budget.departs();
  expect(budget.free).toBe(mostBeyondTheWire - 119);
  budget.hasLeft();
  one.giveBack(one.take(8));
  expect(budget.free).toBe(mostBeyondTheWire - 120);
  one.take(8);
  const free = budget.whenFree();
  other.close(60);
  await free;
  expect(budget.free).toBe(60);
});
