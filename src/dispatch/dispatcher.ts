/**
 * The dispatcher: reads what is due, shares each destination's window among its lanes, and puts grants on the belt.
 *
 * One dispatcher leads. It remembers nothing that matters: what is outstanding is read from the chunks, so that a
 * successor goes on where it stopped. If we die between S1 and the queue, the chunks come back after one lease.
 */
import type { Pace } from '../pacing/pace.ts';
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import type { Generation } from '../queues/generation.ts';
import type { Producer } from '../queues/producer.ts';
import { readCandidates } from './candidate-store.ts';
import type { DestinationDemand, DestinationState } from './demand.ts';
import { type OutstandingWork, readDemand, readOutstanding } from './demand-store.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import { type DispatchLimits, planReads, type Turns } from './dispatch-policy.ts';
import { dispatchGrants, returnDispatched } from './dispatch-store.ts';
import { createDispatchTraces, type DispatchTraces } from './dispatch-traces.ts';
import type { DrainedCampaigns } from './drained-campaigns.ts';
import { holdLanes, rescheduleLanes } from './lane-store.ts';
import { packJobs } from './pack-jobs.ts';
import { parkCampaigns, postponeChunks } from './park-store.ts';
import { findHeld, type PassPlan, planPass } from './plan-pass.ts';
import { RetryCredits } from './retry-credits.ts';
import type { QuietHours } from './sift-candidates.ts';
import { createTransportIds, type TransportIds } from './transport-ids.ts';
import { heldBy } from './window-room.ts';

/** What is known of how fast destinations take messages: `createPaceLearner`, or fixed windows. */
export interface DestinationPaces {
  /** Takes in what the workers reported; told what each destination has outstanding. Bounded, and never fails for want of Redis. */
  learn(outstanding: ReadonlyMap<number, number>): Promise<void>;
  paceOf(
    destinationId: number,
  ): Pick<Pace, 'windowMessages'> & Pick<DestinationState, 'quotaMessages' | 'sharesConnections'>;
}

export interface DispatcherOptions {
  readonly db: Database;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly producer: Producer;
  readonly generation: Generation;
  readonly limits: DispatchLimits;
  readonly paces: DestinationPaces;
  /** When recipients are to be left alone. Without it, never: email waits in a mailbox. */
  readonly quietHours?: QuietHours;
  /** How long a dispatched chunk may stay unclaimed. */
  readonly leaseMs: number;
  /** Told in each pass which campaigns have something outstanding. */
  readonly drainedCampaigns?: DrainedCampaigns | undefined;
  readonly metrics: DispatchMetrics;
}

const pollMs = 50;
/**
 * A pass that moved less than a full grant is followed by a wait: as windows drain, room comes a few messages at a time. At 5,000 a second 250 come
 * within the wait; were that a reason for another pass at once, half of all passes would find next to nothing.
 */
const fewMessages = 500;
/** Lanes whose tenant has reached its rate are looked at again after this: a third of what it may have outstanding. */
const holdMs = 1_000;

export function createDispatcher(options: DispatcherOptions): Loop {
  const { log, leadership } = options;
  const passes = new DispatchPasses(options);
  const pass = () => passes.run();
  const loop = createLoop({ name: 'dispatcher', log, idleMs: pollMs, errorMs: 1_000, pass });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await leadership.resign();
    },
  };
}

class DispatchPasses {
  readonly #options: DispatcherOptions;
  readonly #transportIds: TransportIds;
  readonly #traces: DispatchTraces;
  readonly #credits = new RetryCredits();
  #turns: Turns = new Map();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#transportIds = createTransportIds(options.db);
    this.#traces = createDispatchTraces(options.db);
  }

  async run(): Promise<'busy' | 'idle'> {
    const { leadership, generation, metrics } = this.#options;
    if (!(await leadership.lead())) return 'idle';
    if (await generation.hasChanged()) await this.#returnLost();
    const stopTimer = metrics.passSeconds.startTimer();
    const moved = await this.#dispatchDue();
    stopTimer();
    return moved >= fewMessages ? 'busy' : 'idle';
  }

  /** Read, decide, write, queue: one pass, answering how much it moved. */
  async #dispatchDue(): Promise<number> {
    const { db, paces, limits, quietHours, drainedCampaigns } = this.#options;
    const outstanding = await readOutstanding(db);
    drainedCampaigns?.see(outstanding.campaigns);
    await paces.learn(totalsOf(outstanding));
    const demands = await readDemand(db, outstanding, (id) => paces.paceOf(id));
    this.#observe(demands);
    const [turns, credits] = [this.#turns, this.#credits];
    const reads = planReads(demands, limits, turns);
    const candidates = await readCandidates(db, reads);
    const { byCampaign: outstandingByCampaign } = outstanding;
    const read = { demands, reads, candidates, outstandingByCampaign };
    const plan = planPass({ ...read, limits, turns, credits, quietHours });
    const moved = await this.#clearLanes(plan, demands);
    const handed = plan.grants.length > 0 ? await this.#hand(plan) : 0;
    this.#turns = plan.turns;
    credits.save(plan.credits, demands);
    return moved + handed;
  }

  /** Out of the way of what may go; answers how many chunks were moved. */
  async #clearLanes(plan: PassPlan, demands: readonly DestinationDemand[]): Promise<number> {
    const { db } = this.#options;
    const { parked, postponed, ready, idleLanes } = plan;
    const moved = await parkCampaigns(db, parked);
    const later = await postponeChunks(db, postponed, ready);
    await rescheduleLanes(db, idleLanes);
    await holdLanes(db, findHeld(demands), holdMs);
    return (moved + later) * fewMessages;
  }

  async #hand({ grants: planned, pieces }: PassPlan): Promise<number> {
    const { db, leadership, producer, leaseMs, drainedCampaigns, metrics } = this.#options;
    const transports = await this.#transportIds.of(planned.map((grant) => grant.lane.destinationId));
    const startedAtMs = Date.now();
    const dispatched = await dispatchGrants(db, leadership, planned, leaseMs);
    drainedCampaigns?.began(dispatched.map(({ grant }) => grant));
    const traced = this.#traces.begin(dispatched, startedAtMs);
    try {
      await producer.enqueue(packJobs(traced.grants, transports, pieces));
      await traced.end();
    } catch (error) {
      await traced.end(error);
      // Redis is away: what was just dispatched goes back rather than wait out its lease.
      await this.#returnLost();
      throw error;
    }
    const messages = dispatched.reduce((sum, { grant }) => sum + grant.n, 0);
    metrics.grants.inc(dispatched.length);
    metrics.messages.inc(messages);
    return messages;
  }

  async #returnLost(): Promise<void> {
    const { db, log } = this.#options;
    const chunks = await returnDispatched(db);
    if (chunks > 0) log.warn({ chunks }, 'the belt lost its jobs: dispatched chunks went back');
  }

  #observe(demands: readonly DestinationDemand[]): void {
    const { outstanding, dueLanes } = this.#options.metrics;
    outstanding.set(demands.reduce((sum, demand) => sum + heldBy(demand), 0));
    dueLanes.set(demands.reduce((sum, demand) => sum + demand.lanes.length, 0));
  }
}

function totalsOf({ byDestination }: OutstandingWork): ReadonlyMap<number, number> {
  return new Map([...byDestination].map(([id, outstanding]) => [id, heldBy({ outstanding })]));
}
