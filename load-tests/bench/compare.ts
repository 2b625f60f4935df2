/**
 * The whole pipeline from REST to ledger, against C's smtp-source and against one BullMQ job per recipient. They take turns, so that
 * what else the machine does hits all alike; the medians count.
 */
import { type BenchContext, send } from './context.ts';
import type { PipelineRun } from './pipeline-run.ts';
import type { ComparedSize } from './plan.ts';
import { type RivalRun, runBaseline, runSmtpSource } from './rivals.ts';
import { medianRate } from './statistics.ts';

export interface Comparison {
  readonly kilobytes: number;
  readonly pipeline: readonly PipelineRun[];
  /** Empty where Postfix's tools are not installed. */
  readonly smtpSource: readonly RivalRun[];
  readonly baseline: readonly RivalRun[];
}

export async function compareAll(context: BenchContext): Promise<readonly Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const size of context.plan.compared) comparisons.push(await compare(context, size));
  return comparisons;
}

async function compare(context: BenchContext, size: ComparedSize): Promise<Comparison> {
  const { kilobytes } = size;
  const pipeline: PipelineRun[] = [];
  const smtpSource: RivalRun[] = [];
  const baseline: RivalRun[] = [];
  await send(context, { recipients: size.pipeline, kilobytes });
  for (let round = 1; round <= context.plan.rounds && (round === 1 || !isLate(context)); round++) {
    const rival = await runSmtpSource(context.installation.target, size.smtpSource, kilobytes);
    if (rival) smtpSource.push(rival);
    pipeline.push(await send(context, { recipients: size.pipeline, kilobytes }));
    baseline.push(await runBaseline(baselineOptions(context, size)));
    context.say(`${kilobytes} KB, round ${round}: ${ratesOf({ pipeline, smtpSource, baseline })}`);
  }
  return { kilobytes, pipeline, smtpSource, baseline };
}

const isLate = ({ plan }: BenchContext) => performance.now() / 1000 > plan.lastRoundAt;

function baselineOptions({ installation }: BenchContext, size: ComparedSize) {
  const { target, database } = installation;
  return { target, messages: size.baseline, kilobytes: size.kilobytes, databaseUrl: database.url };
}

function ratesOf(runs: Omit<Comparison, 'kilobytes'>): string {
  return Object.entries(runs)
    .filter(([, of]) => of.length > 0)
    .map(([name, of]) => `${name} ${Math.round(medianRate(of.slice(-1)))}/s`)
    .join(', ');
}

/** Only ratios of what was measured. */
export function ratiosOfComparisons(comparisons: readonly Comparison[]): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const { kilobytes, pipeline, smtpSource, baseline } of comparisons) {
    const rate = medianRate(pipeline);
    if (smtpSource.length > 0) ratios[`pipelineVsC${kilobytes}KB`] = rate / medianRate(smtpSource);
    ratios[`pipelineVsBaseline${kilobytes}KB`] = rate / medianRate(baseline);
  }
  return ratios;
}
