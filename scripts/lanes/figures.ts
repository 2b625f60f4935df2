/** Figures as short as a column needs them. Pure. */

/** 1234567 as `1.2M`, with a `~` where it is an estimate. */
export function shortCount(n: number, isEstimate = false): string {
  return `${isEstimate ? '~' : ''}${shorten(n)}`;
}

function shorten(n: number): string {
  if (n < 10_000) return String(Math.round(n));
  if (n < 999_500) return `${Math.round(n / 1_000)}k`;
  if (n < 999_500_000) return `${oneDigit(n / 1_000_000)}M`;
  return `${oneDigit(n / 1_000_000_000)}G`;
}

export function perSecond(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return '-';
  if (rate > 0 && rate < 1) return `${oneDigit(rate * 60)}/min`;
  return `${rate < 10 ? oneDigit(rate) : shorten(rate)}/s`;
}

/** From now until `time`: `now` when it is over, `-` without one. */
export function inTime(time: string | null, nowMs: number): string {
  if (time === null) return '-';
  const seconds = Math.ceil((Date.parse(time) - nowMs) / 1_000);
  if (seconds <= 0) return 'now';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function oneDigit(n: number): string {
  return String(Math.round(n * 10) / 10);
}
