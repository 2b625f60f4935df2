/** What goes wrong on the day, and when: ms since midnight. */
import { hourMs } from './published-day.ts';

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

const minuteMs = 60_000;

/** At the peak: no connection to this provider can be opened, and those that are open are lost. */
export const outage = {
  provider: 'yahoo',
  fromMs: 9 * hourMs + 5 * minuteMs,
  untilMs: 9 * hourMs + 35 * minuteMs,
};

/** The cell's workers, its Redis with all on the belt, and its database for a failover: all of it at once. */
export const cellLost: Span = { fromMs: 14 * hourMs + 2 * minuteMs, untilMs: 14 * hourMs + 5 * minuteMs };

/** Workers are replaced, one of each pool at a time. */
export const deploy: Span = { fromMs: 12 * hourMs, untilMs: 12 * hourMs + 10 * minuteMs };

export function isWithin(nowMs: number, { fromMs, untilMs }: Span): boolean {
  return nowMs >= fromMs && nowMs < untilMs;
}
