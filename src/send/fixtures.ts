/** Runs of made-up messages, for the tests of the send stage. */
import type { Grant } from '../ledger/grant.ts';
import { leaseTermsOf } from '../ledger/lease.ts';
import type { Bucket } from '../pacing/rate-gate.ts';
import type { RenderedMessage } from '../render/message.ts';
import { GrantRun } from './grant-run.ts';
import { OpenBudget } from './open-budget.ts';

export const testGrant = { tenantId: 1, campaignId: 2, chunkNo: 3, part: 202547, epoch: 4, n: 500 } as Grant;

export function testMessages(n: number): readonly RenderedMessage[] {
  return Array.from({ length: n }, (_, seq) => ({
    ...{ seq, to: `p${seq}@example.com`, returnPath: 'b@example.com', needsSmtpUtf8: false, parts: [] },
  }));
}

/** One that is never short: each test counts its own runs. */
const testBudget = new OpenBudget();

export function testRun(
  n: number,
  { claimedAt = 0, chunkNo = 3, class: deliveryClass = 2, buckets = [] as readonly Bucket[] } = {},
): GrantRun {
  return new GrantRun({
    grant: { ...testGrant, chunkNo } as Grant,
    compiled: { digest: '', segments: [] },
    messages: testMessages(n),
    terms: { includedLists: [], buckets, sendingDomain: null },
    class: deliveryClass,
    budget: testBudget,
    claimedAt,
    lease: leaseTermsOf(30_000),
  });
}
