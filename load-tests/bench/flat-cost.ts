/**
 * Is a message of a large campaign as cheap as one of a small one? CPU a message, summed over the pipeline's processes, and their peak memory, by the size
 * of the campaign. CPU and not time: the machine's other work changes it least. The smallest size is sent before and after the largest.
 */
import { type BenchContext, send } from './context.ts';
import type { PipelineRun } from './pipeline-run.ts';
import { median } from './statistics.ts';

export interface SizeCost {
  readonly recipients: number;
  /** The median of the runs. */
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly runs: readonly PipelineRun[];
}

export async function measureFlatCost(context: BenchContext): Promise<readonly SizeCost[]> {
  const { sentSizes, smallRuns } = context.plan;
  const smallest = sentSizes[0] as number;
  await send(context, { recipients: smallest });
  const small = await sendTimes(context, smallest, smallRuns);
  const costs: SizeCost[] = [];
  for (const recipients of sentSizes.slice(1)) costs.push(await sendTimes(context, recipients, 1));
  const again = await sendTimes(context, smallest, smallRuns);
  return [costOf(smallest, [...small.runs, ...again.runs]), ...costs];
}

async function sendTimes(context: BenchContext, recipients: number, times: number): Promise<SizeCost> {
  const runs: PipelineRun[] = [];
  for (let n = 0; n < times; n++) runs.push(await send(context, { recipients }));
  const cost = costOf(recipients, runs);
  context.say(
    `${recipients} recipients: ${cost.cpuMicros.toFixed(0)} µs CPU a message, ${Math.round(cost.perSecond)}/s`,
  );
  return cost;
}

function costOf(recipients: number, runs: readonly PipelineRun[]): SizeCost {
  return {
    recipients,
    cpuMicros: median(runs.map(({ cpuMicros }) => cpuMicros)),
    perSecond: median(runs.map(({ messages, seconds }) => messages / seconds)),
    runs,
  };
}
