/**
 * Where the render and the send worker's time goes: Node's CPU profiles of a whole campaign, by part of the process.
 *
 *   npm run --silent build && node scripts/with-services.mjs -- node dist/load-tests/bench/profile.js [--messages 60000] [--kilobytes 10]
 *
 * Keeps the summary in load-tests/results; the profiles themselves, for a flame graph, are left in .sluice/bench/profiles. Times are of the main thread,
 * wall clock: on two busy cores they contain what it waited for a core. Profiling itself costs a few percent.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, readCommit } from '../../src/testing/measured-on.ts';
import { startInstallation } from './installation.ts';
import { createLists } from './lists.ts';
import { runPipeline } from './pipeline-run.ts';
import { type CpuProfile, type Part, summarize } from './profile-summary.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '60000' },
    kilobytes: { type: 'string', default: '10' },
  },
});
const [messages, kilobytes] = [Number(values.messages), Number(values.kilobytes)];
const profiled = ['render', 'send'];
const folder = resolve('.sluice/bench/profiles');
const mostFunctions = 15;

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const installation = await startInstallation({
  nodeOptions: (name) =>
    profiled.includes(name)
      ? ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`]
      : [],
});
const { listId } = await createLists(installation)(messages);
const { seconds, usage } = await runPipeline({ installation, listId, kilobytes });
// A profile is written when its process ends.
await installation.stop();

const at = new Date().toISOString();
const lines = [
  `machine   ${describeMachine()}`,
  `commit    ${readCommit()}, ${at}`,
  `command   node dist/load-tests/bench/profile.js --messages ${messages} --kilobytes ${kilobytes}`,
  `run       ${messages} messages of ${kilobytes} KB in ${seconds.toFixed(1)} s, profiled`,
  ...readdirSync(folder).sort().flatMap(describe),
];
const path = `load-tests/results/profile-${at.slice(0, 16).replace(':', '')}-${kilobytes}kb.txt`;
writeFileSync(path, `${lines.join('\n')}\n`);
process.stdout.write(`${lines.join('\n')}\nkept as ${path}\n`);
process.exit(0);

function describe(file: string): readonly string[] {
  const name = file.replace('.cpuprofile', '');
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
  const { busyMicros, parts, functions } = summarize(profile);
  const format = (part: Part) =>
    `  ${((100 * part.micros) / busyMicros).toFixed(1).padStart(5)} %  ${(part.micros / messages).toFixed(1).padStart(6)} µs/message  ${part.name}`;
  const cpu = usage[name] ? (usage[name].cpuSeconds * 1e6) / messages : 0;
  return [
    '',
    `${name}: main thread busy ${(busyMicros / messages).toFixed(1)} µs a message (starting included); CPU of the process ${cpu.toFixed(0)} µs`,
    ...parts.slice(0, mostFunctions).map(format),
    '  the dearest functions, by themselves',
    ...functions.slice(0, mostFunctions).map(format),
  ];
}
