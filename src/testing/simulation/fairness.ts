/**
 * The bound of DESIGN 5, in messages: a quiet tenant's first message leaves after at most the window and one quantum of each active tenant,
 * however many messages its neighbours have waiting. One destination, served first come, first served; the real policy and plan.
 */
import fc from 'fast-check';
import type { Candidate } from '../../dispatch/candidate-store.ts';
import type { Lane } from '../../dispatch/demand.ts';
import { planReads, type Turns } from '../../dispatch/dispatch-policy.ts';
import { quantumOf } from '../../dispatch/lane-turns.ts';
import { planPass } from '../../dispatch/plan-pass.ts';
import { RetryCredits } from '../../dispatch/retry-credits.ts';
import type { ChunkKey } from '../../ledger/delivery-id.ts';

export interface Neighbourhood {
  readonly window: number;
  /** Tenants that never run out of messages. */
  readonly whales: number;
  /** Where the quiet tenant stands among them. */
  readonly quietTenant: number;
  readonly quietMessages: number;
  /** Passes before it comes. */
  readonly passesBefore: number;
  /** Thousandths of the window that leave between passes, again and again. */
  readonly served: readonly number[];
}

export const neighbourhoods: fc.Arbitrary<Neighbourhood> = fc.record({
  window: fc.integer({ min: 100, max: 6_000 }),
  whales: fc.integer({ min: 1, max: 80 }),
  quietTenant: fc.nat(100),
  quietMessages: fc.integer({ min: 1, max: 200 }),
  passesBefore: fc.nat(20),
  served: fc.array(fc.integer({ min: 10, max: 900 }), { minLength: 1, maxLength: 12 }),
});

/** The most that may leave before the quiet tenant's first message: the window, and a quantum of each active tenant. */
export function boundOf({ window, whales }: Neighbourhood): number {
  const active = whales + 1;
  return window + active * quantumOf(window, active);
}

/** How many messages of others leave between its coming and its first one. */
export function waitOfQuiet(neighbourhood: Neighbourhood): number {
  const { served, passesBefore, quietTenant, quietMessages, whales } = neighbourhood;
  const destination = new Destination(neighbourhood.window);
  const share = (pass: number) => Math.ceil((neighbourhood.window * served[pass % served.length]!) / 1_000);
  // Odd numbers are whales: the quiet tenant, an even one, stands between two of them.
  const lanes = Array.from({ length: whales }, (_, i) => laneOf(2 * i + 1));
  const quiet = laneOf(2 * (quietTenant % (whales + 1)));
  const all = [...lanes, quiet];
  for (let pass = 0; pass < passesBefore; pass++) {
    destination.pass(lanes, () => 500);
    destination.serve(share(pass), quiet);
  }
  let waited = 0;
  for (let pass = 0; pass < 100_000; pass++) {
    destination.pass(all, (lane) => (lane.tenantId === quiet.tenantId ? quietMessages : 500));
    const { others, hasCome } = destination.serve(share(pass), quiet);
    waited += others;
    if (hasCome) return waited;
  }
  return Number.POSITIVE_INFINITY;
}

class Destination {
  readonly #window: number;
  #turns: Turns = new Map();
  #queue: { readonly lane: Lane; n: number }[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  pass(lanes: readonly Lane[], waiting: (lane: Lane) => number): void {
    const limits = { totalMessages: 4 * this.#window };
    const demands = [
      {
        destinationId: 1,
        windowMessages: this.#window,
        outstanding: this.#outstanding(),
        lanes: lanes.map((lane) => ({ ...lane, weight: 100 })),
      },
    ];
    const reads = planReads(demands, limits, this.#turns);
    const candidates = reads.map(({ lane }) => candidateOf(lane, waiting(lane)));
    const read = { reads, candidates, outstandingByCampaign: new Map<number, number>() };
    const plan = planPass({ demands, limits, turns: this.#turns, credits: new RetryCredits(), ...read });
    this.#turns = plan.turns;
    for (const { lane, grant } of plan.grants) this.#queue.push({ lane, n: grant.n });
  }

  #outstanding() {
    const byTenant = new Map<number, number>();
    for (const { lane, n } of this.#queue)
      byTenant.set(lane.tenantId, (byTenant.get(lane.tenantId) ?? 0) + n);
    const all = this.#queue.reduce((sum, { n }) => sum + n, 0);
    return { byClass: [0, 0, all] as const, byTenant };
  }

  /** Up to `messages` leave, until the first of `awaited`. */
  serve(messages: number, awaited: Lane): { readonly others: number; readonly hasCome: boolean } {
    let others = 0;
    for (let head = this.#queue[0]; head && others < messages; head = this.#queue[0]) {
      if (head.lane.tenantId === awaited.tenantId) return { others, hasCome: true };
      const left = Math.min(head.n, messages - others);
      others += left;
      head.n -= left;
      if (head.n === 0) this.#queue.shift();
    }
    return { others, hasCome: false };
  }
}

function laneOf(tenantId: number): Lane {
  return { tenantId, destinationId: 1, class: 2 };
}

function candidateOf(lane: Lane, sendable: number): Candidate {
  const key = { tenantId: lane.tenantId, campaignId: lane.tenantId, chunkNo: 0, part: 202647 } as ChunkKey;
  const limits = { isRetry: false, isRunning: true, senderRestsMs: 0, perMinute: null, overdueMs: 0 };
  return { ...key, lane: laneOf(lane.tenantId), epoch: 0, sendable, crashes: 0, size: sendable, ...limits };
}
