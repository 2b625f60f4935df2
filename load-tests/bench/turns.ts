/** Ways to send the same campaign, taking turns. */
import { type BenchContext, type SendOptions, send } from './context.ts';
import type { PipelineRun } from './pipeline-run.ts';
import { median, medianRate } from './statistics.ts';

export interface WayCost {
  readonly perSecond: number;
  /** Of the send worker alone. */
  readonly sendCpuMicros: number;
  readonly runs: readonly PipelineRun[];
}

export type WayCosts = Readonly<Record<string, WayCost>>;

export async function takeTurns(
  context: BenchContext,
  ways: Readonly<Record<string, Omit<SendOptions, 'recipients'>>>,
): Promise<WayCosts> {
  const { sideRuns, sideRounds } = context.plan;
  const runs = new Map<string, PipelineRun[]>(Object.keys(ways).map((way) => [way, []]));
  await send(context, { recipients: sideRuns });
  for (let round = 0; round < sideRounds; round++) {
    for (const [way, options] of Object.entries(ways)) {
      const run = await send(context, { ...options, recipients: sideRuns });
      runs.get(way)?.push(run);
      context.say(`${way}: ${Math.round(run.messages / run.seconds)}/s`);
    }
  }
  return Object.fromEntries([...runs].map(([way, of]) => [way, costOf(of)]));
}

function costOf(runs: readonly PipelineRun[]): WayCost {
  const cpu = runs.map(({ usage, messages }) => ((usage.send?.cpuSeconds ?? 0) * 1e6) / messages);
  return { perSecond: medianRate(runs), sendCpuMicros: median(cpu), runs };
}
