/** What is made of repeated runs. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

export interface Run {
  readonly messages: number;
  readonly seconds: number;
}

export function medianRate(runs: readonly Run[]): number {
  return median(runs.map(({ messages, seconds }) => messages / seconds));
}
