/** What the processes took in a kept run of the bench: the part of its JSON that all its versions share. */

export interface Usage {
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

/** One timed run of the pipeline, wherever in the result it stands. */
export interface MeasuredRun {
  readonly messages: number;
  readonly usage: Readonly<Record<string, Usage>>;
  /** Of MySQL, Redis and the target; older versions lack it. */
  readonly serverUsage?: Readonly<Record<string, Usage>>;
}

export function measuredRuns(result: unknown): readonly MeasuredRun[] {
  if (typeof result !== 'object' || result === null) return [];
  if (isRun(result)) return [result];
  return Object.values(result).flatMap(measuredRuns);
}

/** Of them, those that send plainly: unsigned, without TLS, by one worker of each kind. The rest would size a fleet that nobody has. */
export function plainRuns(result: {
  readonly figures?: { compared?: unknown; sent?: unknown };
}): readonly MeasuredRun[] {
  return measuredRuns([result.figures?.compared ?? [], result.figures?.sent ?? []]);
}

function isRun(value: object): value is MeasuredRun {
  const { messages, usage } = value as Partial<MeasuredRun>;
  if (typeof messages !== 'number' || !usage) return false;
  return Object.values(usage).every((one) => typeof one.peakMb === 'number');
}

/** In MB, by process. */
export function peakMemory(runs: readonly MeasuredRun[]): ReadonlyMap<string, number> {
  const peaks = new Map<string, number>();
  for (const { usage } of runs)
    for (const [process, { peakMb }] of Object.entries(usage))
      peaks.set(process, Math.max(peakMb, peaks.get(process) ?? 0));
  return peaks;
}
