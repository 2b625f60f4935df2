/** One decision over all pools: what is learnt of their workers, how they share the database's room, what each should have. Pure. */
import { shareRoom, workersWithin } from './database-headroom.ts';
import {
  forEachPool,
  type PoolFacts,
  type PoolName,
  type PoolSettings,
  type PoolState,
  type Pools,
} from './pool.ts';
import { decidePool, needOf } from './scaling-policy.ts';
import { learnWorkerRate } from './worker-rate.ts';

export interface ScalingSettings {
  readonly pools: Pools<PoolSettings & { readonly configuredRate: number }>;
  /** DATABASE_FLEET_CONNECTIONS. */
  readonly fleetConnections: number;
  readonly statementsPerWorker: number;
}

/** What the leader has read. */
export interface ScalingFacts {
  readonly sendableMessages: number;
  readonly upcomingMessages: number;
  /** Answered a second, all destinations together. */
  readonly answeredPerSecond: number;
  /** Messages that wait for or are with each pool: dispatched and not claimed, claimed and not settled. */
  readonly held: Pools<number>;
  /** Live workers; a process of everything counts for both. */
  readonly live: Pools<number>;
  /** Live processes of neither pool. */
  readonly otherProcesses: number;
}

export interface PoolDecision {
  readonly state: PoolState;
  /** What it was decided from. */
  readonly facts: PoolFacts;
  readonly live: number;
}

/** What is remembered of a pool. */
export interface KnownPool {
  readonly state: PoolState;
  readonly perSecondAndWorker?: number | undefined;
}

export function rememberPools(decisions: Pools<PoolDecision>): Pools<KnownPool> {
  return forEachPool((pool) => {
    const { state, facts } = decisions[pool];
    return { state, perSecondAndWorker: facts.perSecondAndWorker };
  });
}

export function decidePools(
  before: Pools<KnownPool>,
  facts: ScalingFacts,
  { settings, elapsedMs }: { readonly settings: ScalingSettings; readonly elapsedMs: number },
): Pools<PoolDecision> {
  const known = forEachPool((pool) => {
    const { configuredRate, drainSeconds } = settings.pools[pool];
    const perSecondAndWorker = learnWorkerRate(before[pool].perSecondAndWorker, {
      answeredPerSecond: facts.answeredPerSecond,
      workers: facts.live[pool],
      isBehind: isBehind(pool, facts, drainSeconds * (before[pool].perSecondAndWorker ?? configuredRate)),
      configured: configuredRate,
    });
    const { sendableMessages, upcomingMessages, answeredPerSecond } = facts;
    return { sendableMessages, upcomingMessages, busyPerSecond: answeredPerSecond, perSecondAndWorker };
  });
  const room = workersWithin(settings.fleetConnections, facts.otherProcesses, settings.statementsPerWorker);
  const caps = shareRoom(
    room,
    wantedOf(before, known, settings.pools),
    forEachPool((pool) => before[pool].state.desired),
  );
  return forEachPool((pool) => {
    const poolFacts = { ...known[pool], databaseCap: caps[pool], elapsedMs };
    const state = decidePool(before[pool].state, poolFacts, settings.pools[pool]);
    return { state, facts: poolFacts, live: facts.live[pool] };
  });
}

/** It has more to do than its workers get through in time, and it is here that the work waits. */
function isBehind(
  pool: PoolName,
  { sendableMessages, live, held }: ScalingFacts,
  perWorker: number,
): boolean {
  const other = pool === 'render' ? held.send : held.render;
  return sendableMessages > live[pool] * perWorker && held[pool] > other;
}

/**
 * Workers that each pool could use. The pools stand in a row: where one can't have what it needs, the other is of use in proportion only. What a pool has is
 * part of it, so that the room for workers that are about to go isn't given away before they went.
 */
function wantedOf(
  before: Pools<KnownPool>,
  known: Pools<Parameters<typeof needOf>[0]>,
  settings: Pools<PoolSettings>,
): Pools<number> {
  const needs = forEachPool((pool) => {
    const { up, scheduled } = needOf(known[pool], settings[pool]);
    return Math.max(1, up, scheduled);
  });
  const part = Math.min(1, settings.render.max / needs.render, settings.send.max / needs.send);
  return forEachPool((pool) => {
    const { min, max } = settings[pool];
    return Math.min(max, Math.max(1, min, before[pool].state.desired, Math.ceil(part * needs[pool])));
  });
}
