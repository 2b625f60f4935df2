/** How much each part of the bench does: all of it, or as much as fits into two minutes. */

export interface ComparedSize {
  readonly kilobytes: number;
  /** Messages of one run. */
  readonly pipeline: number;
  readonly smtpSource: number;
  readonly baseline: number;
}

export interface BenchPlan {
  /** Times that contenders take turns: the median of each counts. */
  readonly rounds: number;
  /** On a busy machine: no further round, and no further stage, when so much time is over, in seconds. */
  readonly lastRoundAt: number;
  readonly lastStageAt: number;
  readonly compared: readonly ComparedSize[];
  /** Recipients of one campaign, smallest first: each of the large ones makes a ratio with the first. */
  readonly sentSizes: readonly number[];
  /** The smallest is sent so often before the largest, and as often after it. */
  readonly smallRuns: number;
  /** Pending at once, smallest first. */
  readonly backlogSizes: readonly number[];
  /** By a neighbour, while others send: enough to last as long as they do. */
  readonly expandedNextDoor: number;
  /** Of a run with and without TLS, and with several send workers. */
  readonly sideRuns: number;
  readonly sideRounds: number;
  readonly workers: readonly number[];
  /** Arguments of the scripts that measure one stage; undefined: not run. */
  readonly stages: Readonly<Record<string, readonly string[] | undefined>>;
}

const full: BenchPlan = {
  rounds: 5,
  lastRoundAt: Infinity,
  lastStageAt: Infinity,
  compared: [
    { kilobytes: 10, pipeline: 60_000, smtpSource: 60_000, baseline: 3_000 },
    { kilobytes: 40, pipeline: 30_000, smtpSource: 30_000, baseline: 2_000 },
  ],
  sentSizes: [10_000, 100_000, 1_000_000],
  smallRuns: 5,
  backlogSizes: [10_000, 100_000, 1_000_000],
  expandedNextDoor: 1_000_000,
  sideRuns: 20_000,
  sideRounds: 3,
  workers: [1, 2, 4],
  stages: {
    compile: [],
    render: [],
    splice: [],
    'hand-over': [],
    claim: [],
    record: [],
    expand: [],
    import: [],
    'dispatch-pass': [],
    dkim: [],
  },
};

const quick: BenchPlan = {
  rounds: 3,
  lastRoundAt: 25,
  lastStageAt: 95,
  compared: [
    { kilobytes: 10, pipeline: 6_000, smtpSource: 10_000, baseline: 500 },
    { kilobytes: 40, pipeline: 3_000, smtpSource: 5_000, baseline: 300 },
  ],
  sentSizes: [3_000, 30_000],
  smallRuns: 1,
  backlogSizes: [10_000, 30_000],
  expandedNextDoor: 300_000,
  sideRuns: 5_000,
  sideRounds: 1,
  workers: [1, 2],
  stages: {
    compile: ['--quick'],
    render: ['--quick'],
    splice: ['--quick'],
    'hand-over': ['--messages', '3000', '--rounds', '1', '--connections', '10'],
    claim: ['--quick'],
    record: ['--quick'],
    expand: ['--quick'],
  },
};

export function planBench({
  isQuick,
  isHuge,
}: {
  readonly isQuick: boolean;
  readonly isHuge: boolean;
}): BenchPlan {
  const plan = isQuick ? quick : full;
  if (!isHuge) return plan;
  const grown = (sizes: readonly number[]) => [...sizes, 10_000_000];
  return { ...plan, sentSizes: grown(plan.sentSizes), backlogSizes: grown(plan.backlogSizes) };
}
