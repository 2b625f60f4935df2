/**
 * The main job, from nothing: every process of the pipeline, a local SMTP sink, a campaign of 20,000 recipients over REST, and at the end
 * a comparison of the ledger with what the sink accepted, recipient by recipient.
 *
 *   npm run demo -- [--recipients 20000] [--workers 1]
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ApiClient, createApiClient } from './demo/api-client.ts';
import { type Children, createChildren, findFreePort } from './demo/children.ts';
import { cleanRedis } from './demo/clean-redis.ts';
import { createDemoDatabase, type DemoDatabase } from './demo/demo-database.ts';
import { followProgress } from './demo/progress.ts';
import { setUpCampaign } from './demo/setup-campaign.ts';
import { demoRules } from './demo/sink-rules.ts';
import { verifyOutcome } from './demo/verify-outcome.ts';
import { waitUntilReady } from './demo/wait-until-ready.ts';

const { recipients, workers } = readArguments();
const folder = resolve('.sluice/demo');
const redisPrefix = `demo-${process.pid}`;
const say = (line: string) => process.stdout.write(`${line}\n`);
const interrupted = new AbortController();

const exitCode = await runDemo().catch((error) => {
  process.stderr.write(
    `\nThe demo failed: ${error instanceof Error ? error.message : error}\nLogs: ${folder}\n`,
  );
  return 1;
});
process.exit(exitCode);

async function runDemo(): Promise<number> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const database = await createDemoDatabase(environment('DATABASE_URL'));
  const apiPort = await findFreePort();
  const adminToken = randomBytes(24).toString('base64url');
  const children = createChildren({
    logFolder: folder,
    env: pipelineEnvironment(database, apiPort, adminToken),
    onDeath: (name, code) =>
      interrupted.abort(new Error(`${name} ended with ${code}; see ${folder}/${name}.log`)),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => interrupted.abort(new Error('stopped')));
  try {
    return await Promise.race([play(children, database, { apiPort, adminToken }), untilInterrupted()]);
  } finally {
    await children.stop();
    await cleanRedis(environment('REDIS_URL'), redisPrefix);
    await database.drop();
  }
}

async function play(
  children: Children,
  database: DemoDatabase,
  { apiPort, adminToken }: { apiPort: number; adminToken: string },
): Promise<number> {
  const baseUrl = `http://127.0.0.1:${apiPort}`;
  const acceptedLog = join(folder, 'accepted.log');
  const sink = await startSink(children, acceptedLog);
  startPipeline(children);
  await waitUntilReady(baseUrl, interrupted.signal);
  say(
    `pipeline up: API ${baseUrl} (docs at ${baseUrl}/docs), ${workers} render and ${workers} send workers, sink on ${sink.port}`,
  );
  const api = await createTenant(baseUrl, adminToken);
  const { campaignId } = await setUpCampaign(api, { recipients, smtpPort: sink.port, say });
  const started = performance.now();
  await api.post(`/v1/campaigns/${campaignId}/schedule`, { send_at: 'now' });
  say(`campaign ${campaignId} scheduled`);
  const last = await followProgress({ api, db: database.db, campaignId, signal: interrupted.signal });
  const seconds = (performance.now() - started) / 1000;
  const emlPath = await saveMessage(sink.controlPort);
  return summarise(api, { campaignId, acceptedLog, seconds, emlPath, total: last?.recipients?.total ?? 0 });
}

async function createTenant(baseUrl: string, adminToken: string): Promise<ApiClient> {
  const admin = createApiClient(baseUrl, adminToken);
  const tenant = await admin.post('/v1/tenants', { name: 'Lumière & Co' });
  const key = await admin.post(`/v1/tenants/${tenant.id}/api-keys`, { name: 'demo', scopes: ['*'] });
  return createApiClient(baseUrl, key.secret);
}

async function startSink(
  children: Children,
  acceptedLog: string,
): Promise<{ port: number; controlPort: number }> {
  const rules = join(folder, 'sink-rules.json');
  writeFileSync(rules, JSON.stringify(demoRules));
  const options = [
    '--control-port',
    '0',
    '--log-file',
    acceptedLog,
    '--memory',
    'counters',
    '--keep-first',
    '1',
    '--rules',
    rules,
  ];
  const sink = children.start('sink', 'src/testing/smtp-sink/main.js', options);
  return JSON.parse(await children.firstLine(sink));
}

function startPipeline(children: Children): void {
  children.start('api', 'src/server.js');
  children.start('scheduler', 'workers/scheduler.js');
  children.start('dispatcher', 'workers/dispatcher.js');
  children.start('feedback', 'workers/feedback.js');
  for (let worker = 1; worker <= workers; worker++) {
    children.start(`render-${worker}`, 'workers/render.js');
    children.start(`send-${worker}`, 'workers/send.js');
  }
}

async function saveMessage(controlPort: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${controlPort}/messages/first`);
  const path = join(folder, 'message.eml');
  writeFileSync(path, Buffer.from(await response.arrayBuffer()));
  return path;
}

interface Ended {
  readonly campaignId: string;
  readonly acceptedLog: string;
  readonly seconds: number;
  readonly emlPath: string;
  readonly total: number;
}

async function summarise(
  api: ApiClient,
  { campaignId, acceptedLog, seconds, emlPath, total }: Ended,
): Promise<number> {
  const verdict = await verifyOutcome(api, campaignId, acceptedLog);
  const accounted = [...verdict.perState.values()].reduce((sum, n) => sum + n, 0);
  say(
    `\n${total} recipients in ${seconds.toFixed(1)} s (${Math.round(total / seconds)}/s), each accounted for:`,
  );
  for (const [state, n] of [...verdict.perState].sort((a, b) => b[1] - a[1]))
    say(`  ${state.padEnd(12)} ${n}`);
  say(`the sink accepted ${verdict.accepted} messages`);
  for (const finding of verdict.findings) say(`  WRONG: ${finding}`);
  const isTrue = verdict.isTrue && accounted === total && total > 0;
  say(
    isTrue
      ? 'verified: sent = accepted, one to one; no address twice'
      : 'NOT verified: the ledger and the sink differ',
  );
  say(`one of the messages: ${emlPath}`);
  return isTrue ? 0 : 1;
}

function pipelineEnvironment(database: DemoDatabase, apiPort: number, adminToken: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DATABASE_URL: database.url,
    REDIS_URL: environment('REDIS_URL'),
    REDIS_PREFIX: redisPrefix,
    SECRET_KEY: randomBytes(32).toString('base64'),
    ADMIN_TOKEN: adminToken,
    PUBLIC_URL: `http://127.0.0.1:${apiPort}`,
    HTTP_PORT: String(apiPort),
    HTTP_REQUESTS_PER_SECOND: '100000',
    HEALTH_PORT: '0',
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    // Real defaults are minutes; nobody wants to watch a greylist for that long.
    RETRY_FIRST_DELAY_MS: '2000',
    RETRY_STEP_MS: '1000',
  };
}

function untilInterrupted(): Promise<never> {
  const { signal } = interrupted;
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}

function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run this by \`npm run demo\``);
  return value;
}

function readArguments(): { recipients: number; workers: number } {
  const { values } = parseArgs({
    options: { recipients: { type: 'string', default: '20000' }, workers: { type: 'string', default: '1' } },
  });
  const parsed = { recipients: Number(values.recipients), workers: Number(values.workers) };
  if (
    Number.isInteger(parsed.recipients) &&
    parsed.recipients > 0 &&
    Number.isInteger(parsed.workers) &&
    parsed.workers > 0
  ) {
    return parsed;
  }
  process.stderr.write('usage: npm run demo -- [--recipients 20000] [--workers 1]\n');
  process.exit(2);
}
