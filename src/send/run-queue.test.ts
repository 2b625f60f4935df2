import { expect, test } from 'vitest';
import type { Grant } from '../ledger/grant.ts';
import { leaseTermsOf } from '../ledger/lease.ts';
import { testGrant, testMessages } from './fixtures.ts';
import { GrantRun } from './grant-run.ts';
import { OpenBudget } from './open-budget.ts';
import { RunQueue } from './run-queue.ts';

let chunks = 0;
const runOf = (tenantId: number, { n = 10, class: deliveryClass = 2 } = {}) =>
  new GrantRun({
    grant: { ...testGrant, tenantId, chunkNo: ++chunks } as Grant,
    ...{ compiled: { digest: '', segments: [] }, messages: testMessages(n), class: deliveryClass },
    ...{
      terms: { includedLists: [], buckets: [], sendingDomain: null },
      claimedAt: 0,
      lease: leaseTermsOf(30_000),
    },
    budget: new OpenBudget(),
  });
const queueOf = (...runs: readonly GrantRun[]) => {
  const queue = new RunQueue();
  for (const run of runs) queue.add(run);
  return queue;
};
const serve = (queue: RunQueue, times: number) =>
  Array.from({ length: times }, () => {
    const run = queue.next(0);
    run?.take(5);
    return run?.grant.tenantId;
  });

test('tenants are served in turn, each its oldest run first', () => {
  const [whale, shop] = [[runOf(1), runOf(1)] as const, runOf(2)];
  const queue = queueOf(...whale, shop);
  expect(serve(queue, 6)).toEqual([1, 2, 1, 2, 1, 1]);
  expect(whale.map((run) => run.waiting)).toEqual([0, 0]);
  expect(serve(queue, 1)).toEqual([undefined]);
});

test('a newcomer is next, however much waits', () => {
  const queue = queueOf(...Array.from({ length: 20 }, () => runOf(1)));
  serve(queue, 7);
  queue.add(runOf(9));
  expect(serve(queue, 3)).toEqual([9, 1, 9]);
});

test('who comes back again and again has its turn, and no more', () => {
  const queue = queueOf(runOf(1, { n: 1_000 }), runOf(2, { n: 1_000 }));
  const served: (number | undefined)[] = [];
  for (let i = 0; i < 9; i++) {
    const again = runOf(3, { n: 5 });
    queue.add(again);
    served.push(...serve(queue, 1));
    if (again.waiting === 0) queue.remove(again);
  }
  expect(served.filter((tenant) => tenant === 3).length).toBeLessThanOrEqual(4);
});

test('a more urgent class goes first, and a run that rests is passed over', () => {
  const [bulk, urgent] = [runOf(1), runOf(1, { class: 0 })];
  const queue = queueOf(bulk, urgent);
  expect(queue.next(0)).toBe(urgent);
  urgent.restUntil(1_000);
  expect([queue.next(999), queue.next(1_000)]).toEqual([bulk, urgent]);
});
