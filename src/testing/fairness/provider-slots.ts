/** Reads rates off what the sink says of its providers. Pure. */
import type { SeriesSlot } from '../smtp-sink/provider-series.ts';
import { slotMs } from '../smtp-sink/provider-series.ts';
import type { Series } from './experiment.ts';
import { countInSteps, slidingSums, sumOf } from './statistics.ts';

type Counted = 'attempts' | 'accepted' | 'tooFast' | 'tooManyConnections';

export interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
}

export function countIn(slots: readonly SeriesSlot[], what: Counted, { fromMs, untilMs }: Period): number {
  return sumOf(slots.filter(({ at }) => at >= fromMs && at < untilMs).map((slot) => slot[what]));
}

/** A second, over the period. */
export function rateIn(slots: readonly SeriesSlot[], what: Counted, period: Period): number {
  return (countIn(slots, what, period) * 1_000) / (period.untilMs - period.fromMs);
}

/** Counts over every window of `windowMs` that lies within the period, in steps of the sink's slots. */
export function countsOverWindows(
  slots: readonly SeriesSlot[],
  what: Counted,
  { fromMs, untilMs, windowMs }: Period & { readonly windowMs: number },
): readonly number[] {
  const events = slots.map((slot) => ({ at: slot.at, n: slot[what] }));
  return slidingSums(countInSteps(events, { fromMs, untilMs, stepMs: slotMs }), windowMs / slotMs);
}

/** Seconds from `fromMs` until so many a second were taken over `windowMs`, and no more than `mostTried` tried; Infinity: never. */
export function secondsUntilRate(
  slots: readonly SeriesSlot[],
  perSecond: number,
  { mostTried = Infinity, ...period }: Period & { readonly windowMs: number; readonly mostTried?: number },
): number {
  const taken = countsOverWindows(slots, 'accepted', period);
  const tried = countsOverWindows(slots, 'attempts', period);
  const inWindow = (rate: number) => (rate * period.windowMs) / 1_000;
  const isThere = (n: number, i: number) =>
    n >= inWindow(perSecond) && (tried[i] as number) <= inWindow(mostTried);
  const first = taken.findIndex(isThere);
  return first < 0 ? Infinity : (first * slotMs + period.windowMs) / 1_000;
}

/** Messages a second, for plots: a point for each half second. */
export function rateSeries(
  name: string,
  slots: readonly SeriesSlot[],
  { what = 'accepted', ...period }: Period & { readonly what?: Counted },
): Series {
  const stepMs = 500;
  const events = slots.map((slot) => ({ at: slot.at, n: slot[what] }));
  const steps = countInSteps(events, { ...period, stepMs });
  const points = steps.map((n, i): [number, number] => [(i * stepMs) / 1_000, (n * 1_000) / stepMs]);
  return { name, unit: 'messages/s', points };
}
