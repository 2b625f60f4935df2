/** The bench's result: ratios first, then rates, CPU per message and memory by process. Kept as JSON and as text. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { PipelineRun } from './pipeline-run.ts';
import type { UsageByName } from './process-usage.ts';
import type { RivalRun } from './rivals.ts';

export interface SizeResult {
  readonly kilobytes: number;
  readonly pipeline: PipelineRun;
  readonly smtpSource: RivalRun | undefined;
  readonly baseline: RivalRun;
}

export interface BenchResult {
  readonly machine: string;
  readonly commit: string;
  readonly target: string;
  readonly command: string;
  readonly importSeconds: number;
  readonly sizes: readonly SizeResult[];
}

export function describeMachine(): string {
  const [cpu] = cpus();
  return `${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()} ${arch()}, Node ${process.version}`;
}

export function readCommit(): string {
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' });
  return stdout?.trim() || 'unknown';
}

const rate = (run: { readonly messages: number; readonly seconds: number }) => run.messages / run.seconds;

/** Named as the issues and the README name them. */
export function ratiosOf({ sizes }: BenchResult): Readonly<Record<string, number>> {
  const ratios: Record<string, number> = {};
  for (const { kilobytes, pipeline, smtpSource, baseline } of sizes) {
    if (smtpSource) ratios[`pipelineVsC${kilobytes}KB`] = rate(pipeline) / rate(smtpSource);
    ratios[`pipelineVsBaseline${kilobytes}KB`] = rate(pipeline) / rate(baseline);
  }
  return ratios;
}

export function formatReport(result: BenchResult): string {
  const lines = [
    `machine   ${result.machine}`,
    `commit    ${result.commit}`,
    `command   ${result.command}`,
    `target    ${result.target} on the same machine`,
    `import    ${result.importSeconds.toFixed(1)} s`,
    '',
    ...Object.entries(ratiosOf(result)).map(([name, ratio]) => `${name.padEnd(26)} ${ratio.toFixed(2)}`),
  ];
  for (const size of result.sizes) lines.push('', ...formatSize(size));
  return `${lines.join('\n')}\n`;
}

function formatSize({ kilobytes, pipeline, smtpSource, baseline }: SizeResult): string[] {
  return [
    `${kilobytes} KB messages${' '.repeat(12)}messages     seconds   messages/s`,
    formatRun('whole pipeline', pipeline),
    formatRun('one job per recipient', baseline),
    ...(smtpSource
      ? [formatRun('smtp-source (C)', smtpSource)]
      : ['smtp-source (C)            not installed']),
    ...formatUsage(pipeline.usage, pipeline.messages),
    `  ${'one job per recipient'.padEnd(24)} ${micros(baseline.cpuSeconds, baseline.messages)} µs CPU/message   ${baseline.peakMb} MB peak`,
  ];
}

function formatRun(name: string, run: { readonly messages: number; readonly seconds: number }): string {
  return `${name.padEnd(24)} ${String(run.messages).padStart(10)} ${run.seconds.toFixed(2).padStart(11)} ${Math.round(rate(run)).toString().padStart(12)}`;
}

function formatUsage(usage: UsageByName, messages: number): string[] {
  return Object.entries(usage).map(([name, used]) =>
    used
      ? `  ${name.padEnd(24)} ${micros(used.cpuSeconds, messages)} µs CPU/message   ${used.peakMb} MB peak`
      : `  ${name.padEnd(24)} not measured here`,
  );
}

function micros(cpuSeconds: number | undefined, messages: number): string {
  return (((cpuSeconds ?? 0) * 1e6) / messages).toFixed(0).padStart(6);
}

/** Results are kept, the worse ones too. */
export function saveResult(result: BenchResult): string {
  const folder = 'load-tests/results';
  mkdirSync(folder, { recursive: true });
  const name = `bench-${new Date().toISOString().slice(0, 16).replace(':', '')}-${result.commit}`;
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({ ratios: ratiosOf(result), figures: result }, null, 2)}\n`,
  );
  writeFileSync(join(folder, `${name}.txt`), formatReport(result));
  return join(folder, `${name}.txt`);
}
