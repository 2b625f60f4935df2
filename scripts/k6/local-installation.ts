/** A fleet that grows by its own signal (`fleet.ts`), a database of its own and a scripted sink: what a run without `--url` loads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { answers } from '../../src/testing/black-friday/published-day.ts';
import { type SinkProcess, startSink } from '../../src/testing/fairness/sink-process.ts';
import type { Rule } from '../../src/testing/smtp-sink/rule.ts';
import { findFreePort } from '../demo/children.ts';
import { cleanRedis } from '../demo/clean-redis.ts';
import { createDemoDatabase } from '../demo/demo-database.ts';
import { waitUntilReady } from '../demo/wait-until-ready.ts';
import type { Installation } from './arguments.ts';

export interface LocalInstallation extends Installation {
  readonly sink: SinkProcess;
  stop(): Promise<void>;
}

export interface LocalOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Workers of each pool. */
  readonly min: string;
  readonly max: string;
  /** Logs, and what the sink accepted. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The rates of the published figures: unknown users, and mailboxes that take the mail at the second try. */
const rules: readonly Rule[] = [
  {
    id: 'unknown-user',
    stage: 'rcpt',
    when: { addressShare: answers.bounced },
    action: { do: 'say', refusal: 'unknownUser' },
  },
  {
    id: 'busy',
    stage: 'rcpt',
    when: { addressShare: answers.deferredFirst },
    timesPerAddress: 1,
    action: { do: 'reply', code: 450, text: '4.2.1 The mailbox is busy, please try again' },
  },
];
const stopTimeoutMs = 45_000;

export async function startLocal(options: LocalOptions): Promise<LocalInstallation> {
  const { folder, redisUrl, signal } = options;
  const redisPrefix = `k6-${process.pid}`;
  const adminToken = randomBytes(24).toString('base64url');
  const apiPort = await findFreePort();
  const url = `http://127.0.0.1:${apiPort}`;
  const database = await createDemoDatabase(options.databaseUrl);
  const sink = await startSink(join(folder, 'accepted.log'));
  const fleet = startFleet(options, {
    ...{ DATABASE_URL: database.url, REDIS_PREFIX: redisPrefix, HTTP_PORT: `${apiPort}` },
    ...{ ADMIN_TOKEN: adminToken, PUBLIC_URL: url },
  });
  const stop = async () => {
    await endProcess(fleet);
    await sink.stop();
    await cleanRedis(redisUrl, redisPrefix);
    await database.drop();
  };
  try {
    await sink.setRules(rules);
    await waitUntilReady(url, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, adminToken, smtpHost: '127.0.0.1', smtpPort: `${sink.port}`, sink, stop };
}

/** It dies with us, however we die (`fleet/watch-parent.ts`). In a group of its own: Ctrl-C is for k6, whose end is ours. */
function startFleet({ min, max, folder }: LocalOptions, own: NodeJS.ProcessEnv): ChildProcess {
  const log = createWriteStream(join(folder, 'fleet.log'));
  const child = spawn(process.execPath, [resolve('dist/scripts/fleet.js'), '--min', min, '--max', max], {
    env: { ...process.env, SECRET_KEY: randomBytes(32).toString('base64'), ...limits, ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  return child;
}

const limits = {
  ALLOW_PRIVATE_TRANSPORTS: 'true',
  HTTP_REQUESTS_PER_SECOND: '100000',
  LOG_LEVEL: 'warn',
  // Of a day in minutes: real defaults would keep the last messages of each campaign for longer than it lasts.
  RETRY_FIRST_DELAY_MS: '2000',
  RETRY_STEP_MS: '1000',
  SCALE_RENDER_RATE: '1000',
  SCALE_SEND_RATE: '500',
  SCALE_TARGET_DRAIN_SECONDS: '5',
  SCALE_AHEAD_SECONDS: '10',
  SCALE_DOWN_AFTER_SECONDS: '10',
  SCALE_EVERY_MS: '1000',
};

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
