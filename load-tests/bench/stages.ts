/** The scripts that measure one stage each, one after the other, each in a process of its own. Their output is kept as it is. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BenchPlan } from './plan.ts';
import { run } from './rivals.ts';

/** Lines of output by script. */
export type StageFigures = Readonly<Record<string, readonly string[]>>;

export interface StagesOptions {
  readonly plan: BenchPlan;
  /** Default: all of the plan. */
  readonly only?: readonly string[] | undefined;
  say(line: string): void;
}

export async function measureStages({ plan, only, say }: StagesOptions): Promise<StageFigures> {
  const figures: Record<string, readonly string[]> = {};
  for (const [name, args] of Object.entries(plan.stages)) {
    const script = resolve(`dist/load-tests/bench/${name}.js`);
    if (!args || (only && !only.includes(name)) || !existsSync(script)) continue;
    if (performance.now() / 1000 > plan.lastStageAt) {
      say(`${name}: left out, no time`);
      continue;
    }
    const lines = (await run(process.execPath, [script, ...args])).trimEnd().split('\n');
    say(`${name}\n${lines.map((line) => `  ${line}`).join('\n')}`);
    figures[name] = lines;
  }
  return figures;
}
