/**
 * The dispatcher: reads what is due, shares each destination's window among its lanes, and puts grants on the belt.
 *
 * One dispatcher leads. It remembers nothing that matters: what is outstanding is read from the chunks, so that a
 * successor goes on where it stopped. If we die between S1 and the queue, the chunks come back after one lease.
 */
import type { Leadership } from '../platform/leadership.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import type { Generation } from '../queues/generation.ts';
import type { Producer } from '../queues/producer.ts';
import { readCandidates, readDemand } from './demand-store.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import {
  type DestinationDemand,
  type DispatchLimits,
  hasRoom,
  planShares,
  type Rotation,
} from './dispatch-policy.ts';
import { dispatchGrants, parkCampaigns, rescheduleLane, returnDispatched } from './dispatch-store.ts';
import { packJobs } from './pack-jobs.ts';
import { type PlannedGrant, planGrants } from './plan-grants.ts';
import { createTransportIds } from './transport-ids.ts';

export interface DispatcherOptions {
  readonly db: Database;
  readonly log: Log;
  readonly leadership: Leadership;
  readonly producer: Producer;
  readonly generation: Generation;
  readonly limits: DispatchLimits;
  /** How long a dispatched chunk may stay unclaimed. */
  readonly leaseMs: number;
  readonly metrics: DispatchMetrics;
}

const pollMs = 50;

export function createDispatcher(options: DispatcherOptions): Loop {
  const { db, log, leadership, producer, generation, limits, leaseMs, metrics } = options;
  const transportIds = createTransportIds(db);
  let rotation: Rotation = new Map();

  async function pass(): Promise<'busy' | 'idle'> {
    if (!(await leadership.lead())) return 'idle';
    if (await generation.hasChanged()) await returnLost();
    const stopTimer = metrics.passSeconds.startTimer();
    const dispatched = await dispatchDue();
    stopTimer();
    return dispatched > 0 ? 'busy' : 'idle';
  }

  /** Read, decide, write, queue: one pass, answering how much it moved. */
  async function dispatchDue(): Promise<number> {
    const demands = await readDemand(db, (outstanding) => hasRoom(outstanding, limits));
    observe(demands);
    const plan = planShares(demands, limits, rotation);
    if (plan.shares.length === 0) return 0;
    const candidates = await readCandidates(db, plan.shares);
    const { grants, parked, idleLanes } = planGrants(plan.shares, candidates);
    const moved = await parkCampaigns(db, parked);
    for (const lane of idleLanes) await rescheduleLane(db, lane);
    rotation = plan.rotation;
    return grants.length > 0 ? hand(grants) : moved;
  }

  async function hand(planned: readonly PlannedGrant[]): Promise<number> {
    const transports = await transportIds.of(planned.map((grant) => grant.lane.destinationId));
    const dispatched = await dispatchGrants(db, leadership, planned, leaseMs);
    try {
      await producer.enqueue(packJobs(dispatched, transports));
    } catch (error) {
      // Redis is away: what was just dispatched goes back rather than wait out its lease.
      await returnLost();
      throw error;
    }
    const messages = dispatched.reduce((sum, { grant }) => sum + grant.n, 0);
    metrics.grants.inc(dispatched.length);
    metrics.messages.inc(messages);
    return messages;
  }

  async function returnLost(): Promise<void> {
    const chunks = await returnDispatched(db);
    if (chunks > 0) log.warn({ chunks }, 'the belt lost its jobs: dispatched chunks went back');
  }

  function observe(demands: readonly DestinationDemand[]): void {
    metrics.outstanding.set(demands.reduce((sum, demand) => sum + demand.outstanding, 0));
    metrics.dueLanes.set(demands.reduce((sum, demand) => sum + demand.lanes.length, 0));
  }

  const loop = createLoop({ name: 'dispatcher', log, idleMs: pollMs, errorMs: 1_000, pass });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await leadership.resign();
    },
  };
}
