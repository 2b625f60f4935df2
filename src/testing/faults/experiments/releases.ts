/**
 * Two releases beside each other, as at every rolling deploy and at every rollback. The older one is the build; the newer one is a copy of it that writes
 * jobs and rendered messages in another form, with the same things in other places, and reads both forms.
 */
import { join } from 'node:path';
import { waitFor } from '../../wait-for.ts';
import type { Experiment } from '../experiment.ts';
import type { Role, Worker } from '../fleet.ts';
import { buildMutant, type Edit } from '../mutant.ts';
import { edgeTimeoutMs, type Trial } from '../trial.ts';

const jobsFile = 'src/queues/jobs.js';
const payloadFile = 'src/render/payload.js';

/** Version 2 has destination and transport the other way round, and one field more. */
const newerJobs: readonly Edit[] = [
  { file: jobsFile, find: 'const version = 1;', replace: 'const version = 2;' },
  {
    file: jobsFile,
    find: 'd: job.destinationId, t: job.transportId, g, ...p }',
    replace: 'd: job.transportId, t: job.destinationId, g, ...p, x: 1 }',
  },
  {
    file: jobsFile,
    find: 'safeParse(data)',
    replace: 'safeParse(data?.v === 1 ? { ...data, v: 2, d: data.t, t: data.d } : data)',
  },
  {
    file: jobsFile,
    find: 'destinationId: wire.d, transportId: wire.t,',
    replace: 'destinationId: wire.t, transportId: wire.d,',
  },
];

/** Version 2 has the return path before the recipient: who reads it as version 1 writes to the wrong address. */
const newerMessages: readonly Edit[] = [
  {
    file: payloadFile,
    find: 'const payloadVersion = 1;',
    replace: 'const payloadVersion = 2;\nlet readVersion = 2;',
  },
  {
    file: payloadFile,
    find: 'value[3] !== payloadVersion',
    replace: '(readVersion = value[3]) > payloadVersion',
  },
  {
    file: payloadFile,
    find: 'writer.text(message.to);\n    writer.text(message.returnPath);',
    replace: 'writer.text(message.returnPath);\n    writer.text(message.to);',
  },
  {
    file: payloadFile,
    find: 'const to = reader.text();\n    const returnPath = reader.text();',
    replace: `const texts = [reader.text(), reader.text()];
    const [to, returnPath] = readVersion === 1 ? texts : texts.reverse();`,
  },
];

const common = {
  group: 'deploys',
  mostSettled: 0,
  expected: 'nothing lost, doubled, in doubt or sent to a wrong address',
  recoversWithinMs: 25_000,
} as const;

function buildNewer(trial: Trial, edits: readonly Edit[]): string {
  return buildMutant(trial.fleet.distFolder, join(trial.installation.folder, 'newer'), edits);
}

async function replaceBy(trial: Trial, role: Role, distFolder: string): Promise<Worker> {
  const old = trial.worker(role);
  const worker = await trial.fleet.start(role, distFolder);
  await old.stop();
  return worker;
}

function waitForLog(worker: Worker, text: string): Promise<unknown> {
  return waitFor(`"${text}" in the log`, async () => worker.readLog().includes(text), edgeTimeoutMs);
}

/** Ends the campaign before anything else, so that the next experiment has a fleet of one release. */
async function finish(trial: Trial, newer: readonly Worker[]): Promise<void> {
  trial.healed();
  try {
    await trial.waitForEnd();
  } finally {
    await Promise.all(newer.map((worker) => worker.stop()));
  }
  const { log } = trial.sink.accepted();
  const astray = log.filter(({ to }) => !/^person\d+@example\.com$/.test(to[0] ?? ''));
  if (astray.length > 0) throw new Error(`${astray.length} messages went to ${astray[0]?.to}`);
}

const olderReads: Experiment = {
  ...common,
  name: "a newer dispatcher's jobs before older workers",
  injected:
    'the dispatcher is of a newer release, whose jobs have another form; older workers only; when one has been left alone, newer ones take their place',
  async run(trial) {
    const folder = buildNewer(trial, newerJobs);
    const dispatcher = await replaceBy(trial, 'dispatcher', folder);
    trial.slowDown(10);
    await trial.launch(800);
    await waitForLog(trial.worker('render'), 'job of an unknown version');
    const render = await replaceBy(trial, 'render', folder);
    const send = await replaceBy(trial, 'send', folder);
    await finish(trial, [dispatcher, render, send]);
  },
};

const newerReads: Experiment = {
  ...common,
  name: "an older dispatcher's jobs before newer workers",
  injected:
    'render and send workers are of a newer release, dispatcher and scheduler of an older one, under load',
  async run(trial) {
    trial.slowDown();
    await trial.launch(1_500);
    await trial.waitForAccepted(100);
    const folder = buildNewer(trial, [...newerJobs, ...newerMessages]);
    const send = await replaceBy(trial, 'send', folder);
    const render = await replaceBy(trial, 'render', folder);
    await finish(trial, [render, send]);
  },
};

const olderSender: Experiment = {
  ...common,
  name: "a newer renderer's messages before an older sender",
  injected:
    'the renderer is of a newer release, whose messages have another form; an older sender only; when it has met one, a newer one takes its place',
  async run(trial) {
    const folder = buildNewer(trial, newerMessages);
    const render = await replaceBy(trial, 'render', folder);
    trial.slowDown(10);
    await trial.launch(800);
    await trial.launch(400);
    await waitForLog(trial.worker('send'), 'rendered messages not readable');
    const send = await replaceBy(trial, 'send', folder);
    await finish(trial, [render, send]);
  },
};

const rolledBack: Experiment = {
  ...common,
  name: 'a release rolled back under load',
  injected: 'render and send workers of a newer release under load; then each is replaced by an older one',
  async run(trial) {
    const folder = buildNewer(trial, newerMessages);
    await Promise.all([replaceBy(trial, 'render', folder), replaceBy(trial, 'send', folder)]);
    trial.slowDown();
    await trial.launch(1_500);
    await trial.waitForAccepted(100);
    await replaceBy(trial, 'send', trial.fleet.distFolder);
    await replaceBy(trial, 'render', trial.fleet.distFolder);
    await finish(trial, []);
  },
};

export const releases: readonly Experiment[] = [olderReads, newerReads, olderSender, rolledBack];
