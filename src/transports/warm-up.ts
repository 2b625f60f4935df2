/** The first days of a new sender: so many messages on the first day, each day a little more, until it is trusted. Pure. */
import type { WarmUp } from './smtp-settings.ts';

/**
 * Most messages of `day` (`YYYY-MM-DD`, UTC); undefined when the warm-up has not begun or is over. A day on which nothing was sent counts
 * all the same: providers forget, but a schedule that slips isn't one.
 */
export function warmUpStep({ startsOn, firstDay, growth, until }: WarmUp, day: string): number | undefined {
  const days = (Date.parse(day) - Date.parse(startsOn)) / (24 * 3_600_000);
  if (!(days >= 0)) return undefined;
  const step = Math.floor(firstDay * growth ** days);
  return step < until ? step : undefined;
}
