/** The arithmetic of the verdicts. Pure. */

/** The value that a share `p` (0 to 1) of them does not exceed: nearest rank, so that it is one that was measured. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] as number;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

export function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}

/**
 * Jain, Chiu and Hawe 1984: 1 when all get the same, 1/n when one gets everything.
 */
export function jainIndex(shares: readonly number[]): number {
  const squares = sumOf(shares.map((share) => share * share));
  return squares === 0 ? Number.NaN : sumOf(shares) ** 2 / (shares.length * squares);
}

export interface Counted {
  /** ms. */
  readonly at: number;
  readonly n: number;
}

/** Counts in steps of `stepMs` from `fromMs` up to `untilMs`; what lies outside is left out. */
export function countInSteps(
  events: readonly Counted[],
  { fromMs, untilMs, stepMs }: { fromMs: number; untilMs: number; stepMs: number },
): readonly number[] {
  const steps = new Array<number>(Math.max(0, Math.floor((untilMs - fromMs) / stepMs))).fill(0);
  for (const { at, n } of events) {
    const step = Math.floor((at - fromMs) / stepMs);
    if (step >= 0 && step < steps.length) steps[step] = (steps[step] as number) + n;
  }
  return steps;
}

/** Sums over every run of `width` neighbours. */
export function slidingSums(steps: readonly number[], width: number): readonly number[] {
  const sums: number[] = [];
  let sum = 0;
  for (const [i, n] of steps.entries()) {
    sum += n - (i >= width ? (steps[i - width] as number) : 0);
    if (i >= width - 1) sums.push(sum);
  }
  return sums;
}
