/**
 * A schedule: all that is left to chance in one simulated run. A seed for delays and order, the shape of the campaigns, and a list of
 * faults; the same schedule always gives the same run. fast-check makes them, and shrinks one that fails to the few faults that matter.
 */
import fc from 'fast-check';
import type { InDoubtPolicy } from '../../ledger/settle-doubt.ts';

export type Answer =
  | 'defer'
  | 'throttle'
  | 'reject'
  | 'break before the body'
  | 'break in the body'
  | 'accept, no answer'
  | 'no answer, not accepted'
  | 'accept, answer late'
  | 'stall before 354';

export type Fault =
  /** The process whose turn it is dies, and another life of it begins a little later. */
  | { readonly kind: 'crash'; readonly at: number }
  /** It is stopped for so long, ms, and then goes on as if nothing had been. */
  | { readonly kind: 'stop'; readonly at: number; readonly ms: number }
  /** It stops in order, as in a deploy. */
  | { readonly kind: 'deploy'; readonly at: number }
  /** The next statement is not executed, executed unheard, or executed long after the caller gave up. */
  | {
      readonly kind: 'ledger';
      readonly at: number;
      readonly how: 'refused' | 'unheard' | 'late';
      readonly times: number;
    }
  | { readonly kind: 'job'; readonly at: number; readonly how: 'lost' | 'doubled' | 'delayed' }
  | { readonly kind: 'flush'; readonly at: number }
  /** What the mail server does with the next message. */
  | { readonly kind: 'mail'; readonly at: number; readonly answer: Answer }
  | {
      readonly kind: 'operator';
      readonly at: number;
      readonly action: 'pause' | 'resume' | 'cancel' | 'suppress';
      readonly which: number;
    };

export interface CampaignShape {
  readonly policy: InDoubtPolicy;
  readonly tenantId: number;
  readonly destinationId: number;
  /** Deliveries of each chunk. */
  readonly chunks: readonly number[];
  /** ms from the start; null: none. */
  readonly deadlineMs: number | null;
}

export interface Schedule {
  readonly seed: number;
  readonly campaigns: readonly CampaignShape[];
  /** Most rows of one intent: 64 in production, few here, so that small chunks have many groups. */
  readonly group: number;
  readonly window: number;
  /** A delivery that kills whoever renders it. */
  readonly hasPoison: boolean;
  /** Steps of the whole run are numbered; each fault strikes at the first of its kind from `at` on. */
  readonly faults: readonly Fault[];
}

/** Most runs are over after some hundred steps; those that wait for leases take more. */
const at = fc.oneof(fc.nat(250), fc.nat(700));
const answer = fc.constantFrom<Answer>(
  'defer',
  'throttle',
  'reject',
  'break before the body',
  'break in the body',
  'accept, no answer',
  'no answer, not accepted',
  'accept, answer late',
  'stall before 354',
);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('stop' as const),
      at,
      ms: fc.constantFrom(500, 2_500, 3_200, 5_000, 12_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deploy' as const), at }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ledger' as const),
      at,
      how: fc.constantFrom('refused' as const, 'unheard' as const, 'late' as const),
      times: fc.constantFrom(1, 1, 3, 12),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('job' as const),
      at,
      how: fc.constantFrom('lost' as const, 'doubled' as const, 'doubled' as const, 'delayed' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const), at }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('mail' as const), at, answer }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('operator' as const),
      at,
      action: fc.constantFrom(
        'pause' as const,
        'resume' as const,
        'cancel' as const,
        'suppress' as const,
        'suppress' as const,
      ),
      which: fc.nat(9),
    }),
  },
);

const campaign: fc.Arbitrary<CampaignShape> = fc.record({
  policy: fc.constantFrom<InDoubtPolicy>('assume_delivered', 'resend'),
  tenantId: fc.integer({ min: 1, max: 2 }),
  destinationId: fc.integer({ min: 1, max: 2 }),
  chunks: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 }),
  deadlineMs: fc.constantFrom(null, null, null, 1_500, 9_000),
});

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  campaigns: fc.array(campaign, { minLength: 1, maxLength: 3, size: 'max' }),
  group: fc.constantFrom(1, 2, 3, 64),
  window: fc.constantFrom(16, 24, 200),
  hasPoison: fc.constantFrom(false, false, false, true),
  faults: fc.array(fault, { maxLength: 10, size: 'max' }),
});

export function describeFault(fault: Fault): string {
  const { kind, at, ...rest } = fault;
  const details = Object.values(rest).join(', ');
  return details === '' ? `from step ${at}: ${kind}` : `from step ${at}: ${kind}: ${details}`;
}
