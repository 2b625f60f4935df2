/** What every part that needs a whole installation is given. */
import type { Installation } from './installation.ts';
import type { ImportedList, Lists } from './lists.ts';
import { type PipelineRun, runPipeline } from './pipeline-run.ts';
import type { BenchPlan } from './plan.ts';

export interface BenchContext {
  readonly plan: BenchPlan;
  readonly installation: Installation;
  readonly lists: Lists;
  say(line: string): void;
}

export interface SendOptions {
  readonly recipients: number;
  readonly kilobytes?: number;
  readonly transportId?: string;
  readonly fromEmail?: string;
  readonly maxPerMinute?: number;
}

/** One campaign to a list of so many. */
export async function send(context: BenchContext, options: SendOptions): Promise<PipelineRun> {
  const { installation, lists } = context;
  const { recipients, kilobytes = 10, ...rest } = options;
  const { listId }: ImportedList = await lists(recipients);
  return runPipeline({ installation, listId, kilobytes, ...rest });
}
