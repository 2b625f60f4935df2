/** Figures as text, for people. */
import type { Figures } from './bench-report.ts';
import type { Comparison } from './compare.ts';
import type { PipelineRun } from './pipeline-run.ts';
import type { Usage } from './process-usage.ts';
import type { RivalRun } from './rivals.ts';
import { median, medianRate } from './statistics.ts';

export function formatFigures(ratios: Readonly<Record<string, number>>, figures: Figures): string {
  const { machine, commit, at, command, target, basis } = figures;
  const lines = [
    `machine   ${machine}`,
    `commit    ${commit}, ${at}`,
    `command   ${command}`,
    ...(target ? [`target    ${target} on the same machine`] : []),
    '',
    ...Object.entries(ratios).map(([name, ratio]) =>
      `${name.padEnd(26)} ${ratio.toFixed(2)}   ${basis[name] ?? ''}`.trimEnd(),
    ),
    ...(figures.compared ?? []).flatMap(formatComparison),
    ...formatSent(figures),
    ...formatBacklogs(figures),
    ...formatDisturbance(figures),
    ...formatSides(figures),
    ...Object.entries(figures.stages ?? {}).flatMap(([name, output]) => [
      '',
      name,
      ...output.map((line) => `  ${line}`),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function formatComparison({ kilobytes, pipeline, smtpSource, baseline }: Comparison): string[] {
  const last = pipeline.at(-1) as PipelineRun;
  return [
    '',
    `${kilobytes} KB messages, medians of ${pipeline.length}     messages/s   CPU µs/message`,
    row('whole pipeline', medianRate(pipeline), median(pipeline.map(({ cpuMicros }) => cpuMicros))),
    rivalRow('one job per recipient', baseline),
    ...(smtpSource.length > 0
      ? [rivalRow('smtp-source (C)', smtpSource)]
      : ['smtp-source (C)            not installed']),
    ...formatUsage(last),
  ];
}

function rivalRow(name: string, runs: readonly RivalRun[]): string {
  const cpu = median(runs.map(({ cpuSeconds = 0, messages }) => (cpuSeconds * 1e6) / messages));
  return row(name, medianRate(runs), cpu);
}

function row(name: string, perSecond: number, cpuMicros: number): string {
  return `${name.padEnd(32)} ${Math.round(perSecond).toString().padStart(11)} ${cpuMicros.toFixed(0).padStart(16)}`;
}

/** Of one run, process by process. */
function formatUsage({ usage, serverUsage, messages }: PipelineRun): string[] {
  return Object.entries({ ...usage, ...serverUsage }).map(
    ([name, used]) => `  ${name.padEnd(24)} ${describeUsage(used, messages)}`,
  );
}

function describeUsage(used: Usage | undefined, messages: number): string {
  if (!used) return 'not measured here';
  const micros = ((used.cpuSeconds * 1e6) / messages).toFixed(0).padStart(6);
  return `${micros} µs CPU/message   ${used.peakMb} MB peak`;
}

function formatSent({ sent = [], importPerSecond }: Figures): string[] {
  if (sent.length === 0) return [];
  const rows = sent.map(({ recipients, cpuMicros, perSecond, runs }) => {
    const { usage = {}, serverUsage: { redis } = {} } = runs.at(-1) ?? {};
    const peaks = Object.entries({ ...usage, redis }).map(([name, used]) => `${name} ${used?.peakMb ?? '?'}`);
    return `${String(recipients).padStart(10)} ${cpuMicros.toFixed(0).padStart(16)} ${Math.round(perSecond).toString().padStart(12)}   ${peaks.join(', ')}`;
  });
  const imported = importPerSecond ? [`imported ${Math.round(importPerSecond)} profiles/s`] : [];
  return ['', 'recipients   CPU µs/message   messages/s   peak MB', ...rows, ...imported];
}

function formatBacklogs({ backlogs = [] }: Figures): string[] {
  if (backlogs.length === 0) return [];
  const rows = backlogs.map(
    ({ recipients, redisBytes, redisKeys, expandPerSecond, expandCpuMicros, schedulerPeakMb }) =>
      `${String(recipients).padStart(10)} ${(redisBytes / 1024).toFixed(0).padStart(9)} ${String(redisKeys).padStart(6)} ${Math.round(expandPerSecond).toString().padStart(12)} ${expandCpuMicros.toFixed(1).padStart(16)} ${String(schedulerPeakMb).padStart(18)}`,
  );
  return ['', '   pending  Redis KB   keys   expanded/s  scheduler CPU µs  scheduler peak MB', ...rows];
}

function formatDisturbance({ disturbance = [] }: Figures): string[] {
  const rows = disturbance.map(
    ({ how, perSecondAlone, perSecondBeside, expanded, expandedPerSecond }) =>
      `sending ${how.padEnd(20)} ${Math.round(perSecondAlone)}/s alone, ${Math.round(perSecondBeside)}/s while a neighbour's ${expanded} were expanded at ${Math.round(expandedPerSecond)}/s`,
  );
  return rows.length > 0 ? ['', ...rows] : [];
}

function formatSides({ tls, signing, sendWorkers }: Figures): string[] {
  const lines: string[] = [];
  for (const [name, { perSecond, sendCpuMicros }] of Object.entries({ ...tls, ...signing }))
    lines.push(
      `${name.padEnd(14)} ${Math.round(perSecond)} messages/s, send worker ${sendCpuMicros.toFixed(0)} µs CPU/message`,
    );
  for (const { sendWorkers: n, perSecond, cpuMicros } of sendWorkers ?? [])
    lines.push(
      `${n} send workers   ${Math.round(perSecond)} messages/s, ${cpuMicros.toFixed(0)} µs CPU/message`,
    );
  return lines.length > 0 ? ['', ...lines] : [];
}
