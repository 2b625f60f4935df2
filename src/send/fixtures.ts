/** Runs of made-up messages, for the tests of the send stage. */
import type { Grant } from '../ledger/grant.ts';
import { leaseTermsOf } from '../ledger/lease.ts';
import type { RenderedMessage } from '../render/message.ts';
import { GrantRun } from './grant-run.ts';

export const testGrant = { tenantId: 1, campaignId: 2, chunkNo: 3, part: 202547, epoch: 4, n: 500 } as Grant;

export function testMessages(n: number): readonly RenderedMessage[] {
  return Array.from({ length: n }, (_, seq) => ({
    ...{ seq, to: `p${seq}@example.com`, returnPath: 'b@example.com', needsSmtpUtf8: false, parts: [] },
  }));
}

export function testRun(n: number, { claimedAt = 0, chunkNo = 3 } = {}): GrantRun {
  return new GrantRun({
    grant: { ...testGrant, chunkNo } as Grant,
    compiled: { digest: '', segments: [] },
    messages: testMessages(n),
    scopes: ['*'],
    claimedAt,
    lease: leaseTermsOf(30_000),
  });
}
