/** The bench's result: ratios first, then rates, CPU a message and memory by process. Kept as JSON and as text. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backlog } from './backlog.ts';
import { type Comparison, ratiosOfComparisons } from './compare.ts';
import type { Disturbance } from './disturbance.ts';
import type { SizeCost } from './flat-cost.ts';
import { formatFigures } from './format-figures.ts';
import type { WorkersCost } from './send-workers.ts';
import type { StageFigures } from './stages.ts';
import type { WayCosts } from './turns.ts';

/** A part that was not run is not there. */
export interface Figures {
  readonly machine: string;
  readonly commit: string;
  readonly at: string;
  readonly command: string;
  readonly target?: string;
  readonly importPerSecond?: number;
  readonly compared?: readonly Comparison[];
  readonly sent?: readonly SizeCost[];
  readonly backlogs?: readonly Backlog[];
  readonly disturbance?: readonly Disturbance[];
  readonly tls?: WayCosts;
  readonly signing?: WayCosts;
  readonly sendWorkers?: readonly WorkersCost[];
  readonly stages?: StageFigures;
  /** Which sizes a ratio is made of: smaller ones with `--quick`, whatever its name says. */
  readonly basis: Readonly<Record<string, string>>;
}

/** Named as the issues and the README name them. */
export function ratiosOf({ compared = [], sent = [], backlogs = [] }: Omit<Figures, 'basis'>) {
  const ratios: Record<string, number> = ratiosOfComparisons(compared);
  for (const [name, small, large] of sizePairs(sent)) {
    ratios[`cost${name}`] = large.cpuMicros / small.cpuMicros;
    ratios[`time${name}`] = small.perSecond / large.perSecond;
  }
  for (const [name, few, many] of sizePairs(backlogs))
    ratios[`redis${name}`] = many.redisBytes / few.redisBytes;
  return ratios;
}

/** What each ratio that is named after a size was made of. */
export function basisOf({ sent = [], backlogs = [] }: Omit<Figures, 'basis'>): Record<string, string> {
  const basis: Record<string, string> = {};
  for (const [name, small, large] of sizePairs(sent)) {
    basis[`cost${name}`] = `CPU a message, ${between(small, large)}`;
    basis[`time${name}`] = `time a message, ${between(small, large)}`;
  }
  for (const [name, few, many] of sizePairs(backlogs))
    basis[`redis${name}`] = `bytes with all pending, ${between(few, many)}`;
  return basis;
}

interface Sized {
  readonly recipients: number;
}

/** The smallest, with the largest up to a million and with ten millions where they were asked for. */
function sizePairs<T extends Sized>(sizes: readonly T[]): readonly (readonly [string, T, T])[] {
  const [small] = sizes;
  const large = sizes.filter(({ recipients }) => recipients <= 1_000_000).at(-1);
  const huge = sizes.find(({ recipients }) => recipients === 10_000_000);
  return [
    ...(small && large ? [['1MVs10k', small, large] as const] : []),
    ...(small && huge ? [['10MVs10k', small, huge] as const] : []),
  ];
}

const between = (small: Sized, large: Sized) => `${large.recipients} against ${small.recipients} recipients`;

/** Results are kept, the worse ones too. */
export function saveResult(figures: Figures, json: string | undefined): string {
  const folder = 'load-tests/results';
  mkdirSync(folder, { recursive: true });
  const ratios = ratiosOf(figures);
  const path = join(folder, `bench-${figures.at.slice(0, 16).replace(':', '')}-${figures.commit}`);
  const text = `${JSON.stringify({ ratios, figures }, null, 2)}\n`;
  writeFileSync(`${path}.json`, text);
  writeFileSync(`${path}.txt`, formatFigures(ratios, figures));
  if (json) writeFileSync(json, text);
  return `${path}.txt`;
}
