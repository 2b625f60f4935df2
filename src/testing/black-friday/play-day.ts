/** The day as Sluice plays it, and as naive designs do: the same campaigns, providers and outage for each. The same seed gives the same day. */
import { seededRandom } from '../smtp-sink/seeded-random.ts';
import { redisCosts } from './calibration.ts';
import { type Campaign, scheduleCampaigns } from './campaigns.ts';
import { Cell } from './cell.ts';
import { NaiveDay, type NaiveSample } from './naive-day.ts';
import { type NaiveQueue, OneFifo, QueuePerTenant } from './naive-queues.ts';
import { CpuScaledWorkers, EnoughWorkers, type NaiveWorkers } from './naive-workers.ts';
import { hourMs, peakPerSecond } from './published-day.ts';
import type { Sample } from './sample.ts';
import { makeTenants, tenantsOfFirstCell } from './tenants.ts';
import type { Waits } from './waits.ts';

/** Each is played alike; one in detail. */
export const cells = 16;
export const cellPeakPerSecond = peakPerSecond / cells;

/** Whole seconds. */
export interface DaySpan {
  readonly fromMs: number;
  /** Campaigns that are due before. */
  readonly scheduledUntilMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
}

/** Two hours after midnight for what is late. */
export const wholeDay: DaySpan = {
  fromMs: 0,
  scheduledUntilMs: 24 * hourMs,
  untilMs: 26 * hourMs,
  stepMs: 1_000,
};
/** The peak hour and the outage. */
export const quickDay: DaySpan = {
  fromMs: 9 * hourMs - 300_000,
  scheduledUntilMs: 9.5 * hourMs,
  untilMs: 10.25 * hourMs,
  stepMs: 1_000,
};

export interface NaiveResult {
  readonly title: string;
  readonly waits: Waits;
  readonly samples: readonly NaiveSample[];
  /** Of all attempts. */
  readonly refusedPart: number;
}

export interface DayResult {
  readonly tenants: number;
  readonly largestTenant: number;
  readonly smallestTenant: number;
  readonly campaigns: readonly Campaign[];
  readonly sluice: {
    readonly waits: Waits;
    readonly samples: readonly Sample[];
    readonly refusedPart: number;
    readonly inDoubt: number;
  };
  readonly naive: readonly NaiveResult[];
}

export function playDay(span: DaySpan, seed: number, hasTrouble = true): DayResult {
  const tenants = tenantsOfFirstCell(makeTenants(), cells);
  const campaigns = scheduleCampaigns(tenants, seededRandom(seed)).filter(
    ({ dueMs }) => dueMs >= span.fromMs && dueMs < span.scheduledUntilMs,
  );
  const shared = { campaigns, fromMs: span.fromMs, peakPerSecond: cellPeakPerSecond };
  const cell = new Cell({ ...shared, stepMs: span.stepMs, seed, hasTrouble });
  cell.run(span.untilMs);
  const { waits, samples, inDoubt } = cell;
  return {
    ...{ tenants: tenants.length, campaigns },
    largestTenant: tenants[0]?.messages ?? 0,
    smallestTenant: tenants.at(-1)?.messages ?? 0,
    sluice: { waits, samples, inDoubt, refusedPart: cell.throttled / cell.attempts },
    naive: naiveDesigns(tenants.map(({ rank }) => rank)).map(({ title, queue, workers }) => {
      const day = new NaiveDay({ ...shared, queue, workers, hasOutage: hasTrouble });
      day.run(span.untilMs);
      return { title, waits: day.waits, samples: day.samples, refusedPart: day.refused / day.attempts };
    }),
  };
}

interface NaiveDesign {
  readonly title: string;
  readonly queue: NaiveQueue;
  readonly workers: NaiveWorkers;
}

function naiveDesigns(tenantIds: readonly number[]): readonly NaiveDesign[] {
  const peak = cellPeakPerSecond;
  return [
    { title: 'one FIFO', queue: new OneFifo(redisCosts), workers: new EnoughWorkers(peak) },
    {
      title: 'a queue per tenant',
      queue: new QueuePerTenant(redisCosts, tenantIds),
      workers: new EnoughWorkers(peak),
    },
    { title: 'scaled by CPU', queue: new OneFifo(redisCosts), workers: new CpuScaledWorkers('none') },
    {
      title: 'scaled by CPU and panic',
      queue: new OneFifo(redisCosts),
      workers: new CpuScaledWorkers({ peakPerSecond: peak }),
    },
  ];
}
