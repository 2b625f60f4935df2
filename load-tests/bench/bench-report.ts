/** The bench's result: ratios first, then rates, CPU a message and memory by process. Kept as JSON and as text. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
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

export function describeMachine(): string {
  const [cpu] = cpus();
  return `${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()} ${arch()}, Node ${process.version}`;
}

export function readCommit(): string {
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return stdout?.trim() || 'unknown';
}

/** Named as the issues and the README name them. */
export function ratiosOf({ compared = [], sent, backlogs }: Omit<Figures, 'basis'>): Record<string, number> {
  const ratios = ratiosOfComparisons(compared);
  const [small, large] = [sent?.[0], sent?.at(-1)];
  if (small && large) {
    ratios.cost1MVs10k = large.cpuMicros / small.cpuMicros;
    ratios.time1MVs10k = small.perSecond / large.perSecond;
  }
  const [few, many] = [backlogs?.[0], backlogs?.find(({ recipients }) => recipients === 1_000_000)];
  const most = many ?? backlogs?.at(-1);
  if (few && most) ratios.redis1MVs10k = most.redisBytes / few.redisBytes;
  return ratios;
}

/** What each ratio that is named after a size was made of. */
export function basisOf({ sent, backlogs }: Omit<Figures, 'basis'>): Record<string, string> {
  const basis: Record<string, string> = {};
  const between = (sizes: readonly { readonly recipients: number }[]) =>
    `${sizes.at(-1)?.recipients} against ${sizes[0]?.recipients} recipients`;
  if (sent) basis.cost1MVs10k = `CPU a message, ${between(sent)}`;
  if (sent) basis.time1MVs10k = `time a message, ${between(sent)}`;
  const upTo1M = backlogs?.filter(({ recipients }) => recipients <= 1_000_000);
  if (upTo1M) basis.redis1MVs10k = `bytes with all pending, ${between(upTo1M)}`;
  return basis;
}

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
