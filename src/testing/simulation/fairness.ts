/**
 * The bound of DESIGN 5, in messages: a quiet tenant's first message leaves after at most the window and one quantum of each active tenant,
 * however many messages its neighbours have waiting. One destination, served first come, first served; the real policy and plan.
 */
import fc from 'fast-check';
import type { Candidate } from '../../dispatch/demand-store.ts';
import { type Lane, planShares, type Rotation, smallestQuantum } from '../../dispatch/dispatch-policy.ts';
import { planGrants } from '../../dispatch/plan-grants.ts';
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
  return window + active * Math.max(smallestQuantum, Math.floor(window / active));
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
    destination.pass(all, (lane) => (lane === quiet ? quietMessages : 500));
    const { others, hasCome } = destination.serve(share(pass), quiet);
    waited += others;
    if (hasCome) return waited;
  }
  return Number.POSITIVE_INFINITY;
}

class Destination {
  readonly #window: number;
  #rotation: Rotation = new Map();
  #queue: { readonly lane: Lane; n: number }[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  pass(lanes: readonly Lane[], waiting: (lane: Lane) => number): void {
    const outstanding = this.#queue.reduce((sum, { n }) => sum + n, 0);
    const limits = { windowPerDestination: this.#window, windowTotal: 4 * this.#window };
    const plan = planShares([{ destinationId: 1, outstanding, lanes }], limits, this.#rotation);
    this.#rotation = plan.rotation;
    const candidates = plan.shares.map(({ lane }) => candidateOf(lane, waiting(lane)));
    for (const { lane, grant } of planGrants(plan.shares, candidates).grants)
      this.#queue.push({ lane, n: grant.n });
  }

  /** Up to `messages` leave, until the first of `awaited`. */
  serve(messages: number, awaited: Lane): { readonly others: number; readonly hasCome: boolean } {
    let others = 0;
    for (let head = this.#queue[0]; head && others < messages; head = this.#queue[0]) {
      if (head.lane === awaited) return { others, hasCome: true };
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
  return { ...key, lane, epoch: 0, sendable, crashes: 0, size: sendable, isRunning: true };
}
