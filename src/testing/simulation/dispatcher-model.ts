/** A dispatcher: dispatcher.ts and sweeper.ts with their statements and the real policy, plan and packing. */
import { planReads, type Turns } from '../../dispatch/dispatch-policy.ts';
import { packJobs } from '../../dispatch/pack-jobs.ts';
import { type PassPlan, planPass } from '../../dispatch/plan-pass.ts';
import { RetryCredits } from '../../dispatch/retry-credits.ts';
import {
  dispatchGrants,
  park,
  readCandidates,
  readDemand,
  rescheduleLane,
  returnDispatched,
  takeLead,
} from './dispatch-statements.ts';
import { assertDoubtBudget, assertNobodyTrusts, assertWindow } from './invariants.ts';
import { callLedger, ledgerFailure } from './ledger-call.ts';
import {
  completeCampaign,
  findRipe,
  isStopped,
  settleDoubt,
  sweepStopped,
  takeOver,
  unpark,
} from './sweep-statements.ts';
import type { Chunk } from './tables.ts';
import type { Task } from './virtual-time.ts';
import { type Life, monotonic, someMs, type World } from './world.ts';

const termMs = 3_000;
const passMs = 100;
const sweepMs = 250;
const errorMs = 500;
/** Two terms of the lease, and the longest the mail server lets a courier wait. */
export const settleAfterMs = 2 * 3_000 + 2_000;
const transports: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 2],
]);

export class Dispatcher {
  readonly #world: World;
  readonly #life: Life;
  #leadsUntil = 0;
  #askAgainAt = 0;
  #known: string | undefined;
  #turns: Turns = new Map();
  readonly #credits = new RetryCredits();

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  start(): void {
    const { time } = this.#world;
    time.spawn(
      this.#life.host,
      this.#loop(passMs, () => this.#pass()),
    );
    time.spawn(
      this.#life.host,
      this.#loop(sweepMs, () => this.#sweep()),
      someMs(this.#world, 1, sweepMs),
    );
  }

  *#loop(idleMs: number, pass: () => Task): Task {
    for (;;) {
      let waitMs = idleMs;
      try {
        if (yield* this.#lead()) yield* pass();
      } catch (error) {
        if (error !== ledgerFailure) throw error;
        waitMs = errorMs;
      }
      yield waitMs;
    }
  }

  *#lead(): Task<boolean> {
    const asked = monotonic(this.#world, this.#life);
    if (asked < this.#askAgainAt) return asked < this.#leadsUntil;
    const { tables, time } = this.#world;
    const leads = yield* callLedger(this.#world, () => takeLead(tables, this.#life.owner, time.now, termMs));
    this.#leadsUntil = leads ? asked + termMs - 1_000 : 0;
    this.#askAgainAt = asked + termMs / 4;
    return leads;
  }

  *#pass(): Task {
    const { tables, time, schedule } = this.#world;
    if (this.#hasChanged()) yield* this.#call(() => returnDispatched(tables, time.now));
    if (!tables.lanes.some((lane) => lane.nextDueAt <= time.now)) return;
    const limits = { totalMessages: 4 * schedule.window };
    const demands = yield* this.#call(() => readDemand(tables, time.now, schedule.window));
    const reads = planReads(demands, limits, this.#turns);
    if (reads.length === 0) return;
    const candidates = yield* this.#call(() => readCandidates(tables, reads, time.now));
    const read = { reads, candidates, outstandingByCampaign: new Map<number, number>() };
    const plan = planPass({ demands, limits, turns: this.#turns, credits: this.#credits, ...read });
    yield* this.#carryOut(plan);
    this.#turns = plan.turns;
    this.#credits.save(plan.credits, demands);
  }

  *#carryOut(plan: PassPlan): Task {
    const { tables, time } = this.#world;
    const { grants, parked, idleLanes } = plan;
    for (const candidate of parked) yield* this.#call(() => park(tables, candidate, time.now));
    for (const lane of idleLanes) yield* this.#call(() => rescheduleLane(tables, lane));
    if (grants.length > 0) yield* this.#hand(plan);
  }

  *#hand({ grants: planned, pieces }: PassPlan): Task {
    const world = this.#world;
    const { tables, time, rules } = world;
    const dispatched = yield* this.#call(() => {
      const done = dispatchGrants(tables, planned, this.#life.owner, time.now, rules);
      assertWindow(world);
      return done;
    });
    if (!dispatched) {
      this.#leadsUntil = 0;
      return;
    }
    for (const { grant } of dispatched)
      world.tell?.(`S1 chunk ${grant.chunkNo} epoch ${grant.epoch} n ${grant.n}`);
    yield someMs(world, 0, 2);
    for (const job of packJobs(dispatched, transports, pieces)) world.belt.enqueue(world, 'render', job);
  }

  #hasChanged(): boolean {
    const made = `${this.#life.owner} at ${this.#world.time.now}`;
    const { found, current } = this.#world.belt.generation(made);
    const isFirstLook = this.#known === undefined;
    const isSame = current === this.#known;
    this.#known = current;
    return isFirstLook ? found === null : !isSame;
  }

  /** Looked at before it is asked, so that a sweep with nothing to do takes no step; each statement looks again. */
  *#sweep(): Task {
    const { tables, time, rules } = this.#world;
    for (const chunk of tables.chunks) if (chunk.leaseUntil < time.now) yield* this.#takeOver(chunk);
    for (const chunk of findRipe(tables, time.now, settleAfterMs, rules))
      yield* this.#call(() => settleDoubt(chunk, time.now, settleAfterMs, rules));
    for (const campaign of tables.campaigns) {
      if (campaign.isParked) yield* this.#call(() => unpark(tables, campaign, time.now));
      if (isStopped(campaign, time.now)) yield* this.#call(() => sweepStopped(campaign, time.now, rules));
      completeCampaign(campaign);
    }
  }

  *#takeOver(chunk: Chunk): Task {
    const world = this.#world;
    yield* this.#call(() => {
      const taken = takeOver(chunk, world.time.now, world.rules);
      if (!taken) return;
      world.tell?.(`S6 chunk ${chunk.key.chunkNo} of ${taken.owner}: ${taken.inDoubt} in doubt`);
      assertNobodyTrusts(world, chunk);
      assertDoubtBudget(world, taken);
    });
  }

  #call<T>(statement: () => T): Task<T> {
    return callLedger(this.#world, statement);
  }
}
