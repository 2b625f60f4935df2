/** The same campaign with one, two and four send workers. They share the machine with all else, so on two cores more of them are no faster. */
import { type BenchContext, send } from './context.ts';
import type { PipelineRun } from './pipeline-run.ts';
import { median, medianRate } from './statistics.ts';

export interface WorkersCost {
  readonly sendWorkers: number;
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly runs: readonly PipelineRun[];
}

export async function measureSendWorkers(context: BenchContext): Promise<readonly WorkersCost[]> {
  const { installation, plan } = context;
  const costs: WorkersCost[] = [];
  let running = 1;
  for (const sendWorkers of plan.workers) {
    for (; running < sendWorkers; running++) installation.addSendWorker();
    const cost = await measure(context, sendWorkers);
    context.say(`${sendWorkers} send workers: ${Math.round(cost.perSecond)}/s`);
    costs.push(cost);
  }
  return costs;
}

/** The first run shows the new workers that there is work, and does not count. */
async function measure(context: BenchContext, sendWorkers: number): Promise<WorkersCost> {
  const { sideRuns, sideRounds } = context.plan;
  await send(context, { recipients: sideRuns });
  const runs: PipelineRun[] = [];
  for (let n = 0; n < sideRounds; n++) runs.push(await send(context, { recipients: sideRuns }));
  const cpuMicros = median(runs.map((run) => run.cpuMicros));
  return { sendWorkers, perSecond: medianRate(runs), cpuMicros, runs };
}
