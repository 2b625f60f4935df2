/** A cell's render and send workers: as many as the real policy asks for, each some time after it was asked for. */

import { decidePools, type PoolDecision, type ScalingSettings } from '../../scaling/decide-pools.ts';
import { forEachPool, type PoolName, type Pools, poolStateOf } from '../../scaling/pool.ts';
import { type DestinationWork, sendableMessages } from '../../scaling/sendable-work.ts';
import { cpuMicroseconds, perSecondAndWorker, workerStartMs } from './calibration.ts';

/** API, scheduler, dispatcher twice each, and one for feedback. */
const otherProcesses = 7;
/** The defaults of the configuration (SCALE_...), but for the rates, which are those of the day's messages. */
const drainSeconds = 300;
const pool = { min: 1, max: 100, drainSeconds, idleMs: 600_000, downAfterMs: 120_000 };
export const aheadMs = 600_000;
export const decideEveryMs = 5_000;

const workerRates: Pools<number> = {
  render: perSecondAndWorker(cpuMicroseconds.render),
  send: perSecondAndWorker(cpuMicroseconds.send),
};

const settings: ScalingSettings = {
  pools: forEachPool((name) => ({ ...pool, configuredRate: workerRates[name] })),
  fleetConnections: 120,
  statementsPerWorker: 4,
};

export interface FleetFacts {
  readonly works: readonly DestinationWork[];
  readonly upcomingMessages: number;
  readonly answeredPerSecond: number;
  readonly outstanding: number;
}

export class Fleet {
  #decided: Pools<Pick<PoolDecision, 'state'> & { readonly perSecondAndWorker?: number }>;
  readonly #ready: Record<PoolName, number> = { render: 1, send: 1 };
  /** When each of those that are starting will be ready. */
  readonly #starting: Record<PoolName, number[]> = { render: [], send: [] };

  constructor() {
    this.#decided = forEachPool(() => ({ state: poolStateOf(1) }));
  }

  get ready(): Pools<number> {
    return this.#ready;
  }

  /** Messages a second that go through both pools, with `away` workers of each being replaced. */
  capacity(away: number): number {
    const of = (name: PoolName) => Math.max(0, this.#ready[name] - away) * workerRates[name];
    return Math.min(of('render'), of('send'));
  }

  /** All at once; what is desired is asked for anew when they may start again. */
  lose(): void {
    for (const name of ['render', 'send'] as const) {
      this.#ready[name] = 0;
      this.#starting[name] = [];
    }
  }

  decide(facts: FleetFacts, nowMs: number): void {
    const decisions = decidePools(
      this.#decided,
      {
        sendableMessages: sendableMessages(facts.works, drainSeconds),
        upcomingMessages: facts.upcomingMessages,
        answeredPerSecond: facts.answeredPerSecond,
        held: { render: 0, send: facts.outstanding },
        live: this.#ready,
        otherProcesses,
      },
      { settings, elapsedMs: decideEveryMs },
    );
    this.#decided = forEachPool((name) => ({
      state: decisions[name].state,
      perSecondAndWorker: decisions[name].facts.perSecondAndWorker,
    }));
    for (const name of ['render', 'send'] as const) this.#adjust(name, decisions[name].state.desired, nowMs);
  }

  start(nowMs: number): void {
    for (const name of ['render', 'send'] as const) {
      const coming = this.#starting[name];
      while (coming[0] !== undefined && coming[0] <= nowMs) {
        coming.shift();
        this.#ready[name]++;
      }
    }
  }

  #adjust(name: PoolName, desired: number, nowMs: number): void {
    const coming = this.#starting[name];
    while (this.#ready[name] + coming.length < desired) coming.push(nowMs + workerStartMs);
    while (coming.length > 0 && this.#ready[name] + coming.length > desired) coming.pop();
    this.#ready[name] = Math.min(this.#ready[name], Math.max(desired, 0));
  }
}
