/**
 * The bench: the whole pipeline from REST to ledger, against what people write today and against C, in one run on one machine.
 *
 *   npm run bench -- [--recipients 30000] [--baseline 3000] [--sizes 10,40] [--quick] [--json FILE]
 *
 * Absolute figures vary with the machine; the ratios are what to compare.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ApiClient, createApiClient } from '../scripts/demo/api-client.ts';
import { type Child, type Children, createChildren, findFreePort } from '../scripts/demo/children.ts';
import { cleanRedis } from '../scripts/demo/clean-redis.ts';
import { createDemoDatabase } from '../scripts/demo/demo-database.ts';
import { waitUntilReady } from '../scripts/demo/wait-until-ready.ts';
import {
  type BenchResult,
  describeMachine,
  formatReport,
  ratiosOf,
  readCommit,
  type SizeResult,
  saveResult,
} from './bench/bench-report.ts';
import { importRecipients, runPipeline } from './bench/pipeline-run.ts';
import { runBaseline, runSmtpSource } from './bench/rivals.ts';
import { startTarget, type Target } from './bench/target.ts';

const { values } = parseArgs({
  options: {
    recipients: { type: 'string' },
    baseline: { type: 'string' },
    sizes: { type: 'string', default: '10,40' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const recipients = Number(values.recipients ?? (values.quick ? 10_000 : 30_000));
const baselineRecipients = Number(values.baseline ?? (values.quick ? 1_500 : 4_000));
const sizes = values.sizes.split(',').map(Number);
const adminToken = randomBytes(24).toString('base64url');
const logFolder = resolve('.sluice/bench');
const redisPrefix = `bench-${process.pid}`;
const say = (line: string) => process.stdout.write(`${line}\n`);

mkdirSync(logFolder, { recursive: true });
const database = await createDemoDatabase(process.env.DATABASE_URL as string);
const apiPort = await findFreePort();
const target = await startTarget(await findFreePort());
const children = createChildren({ logFolder, env: pipelineEnvironment(), onDeath: fail });
try {
  await bench();
} finally {
  await children.stop();
  target.stop();
  await cleanRedis(process.env.REDIS_URL as string, redisPrefix);
  await database.drop();
}
process.exit(0);

async function bench(): Promise<void> {
  const processes = startPipeline(children);
  const baseUrl = `http://127.0.0.1:${apiPort}`;
  await waitUntilReady(baseUrl, new AbortController().signal);
  const api = await createTenant(baseUrl);
  const { listId, seconds: importSeconds } = await importRecipients(api, recipients);
  say(`imported ${recipients} profiles in ${importSeconds.toFixed(1)} s`);
  const transportId = await createTransport(api, target);
  const results: SizeResult[] = [];
  for (const kilobytes of sizes) {
    say(`${kilobytes} KB ...`);
    results.push(await benchSize({ api, listId, transportId, kilobytes, children: processes }));
  }
  report({
    machine: describeMachine(),
    commit: readCommit(),
    target: target.name,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
    importSeconds,
    sizes: results,
  });
}

/** The pipeline once to warm up (compilers, buffer pools), then the measured runs, one after the other. */
async function benchSize(options: Parameters<typeof runPipeline>[0]): Promise<SizeResult> {
  const { kilobytes } = options;
  await runPipeline(options);
  const pipeline = await runPipeline(options);
  const smtpSource = await runSmtpSource(target, recipients, kilobytes);
  const baseline = await runBaseline(target, baselineRecipients, kilobytes, database.url);
  return { kilobytes, pipeline, smtpSource, baseline };
}

function report(result: BenchResult): void {
  say(`\n${formatReport(result)}`);
  say(`kept as ${saveResult(result)}`);
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ ratios: ratiosOf(result), figures: result }, null, 2));
}

async function createTenant(baseUrl: string): Promise<ApiClient> {
  const admin = createApiClient(baseUrl, adminToken);
  const tenant = await admin.post('/v1/tenants', { name: 'Bench' });
  const key = await admin.post(`/v1/tenants/${tenant.id}/api-keys`, { name: 'bench', scopes: ['*'] });
  return createApiClient(baseUrl, key.secret);
}

async function createTransport(api: ApiClient, { port }: Target): Promise<string> {
  const transport = await api.post('/v1/transports', {
    name: 'Bench target',
    settings: { host: '127.0.0.1', port, tls: 'none' },
    limits: { max_connections: 10, messages_per_connection: 0 },
  });
  return transport.id;
}

function startPipeline(running: Children): Child[] {
  const parts = [
    'api:src/server.js',
    ...['scheduler', 'dispatcher', 'render', 'send'].map((name) => `${name}:workers/${name}.js`),
  ];
  return parts.map((part) => {
    const [name, script] = part.split(':') as [string, string];
    return running.start(name, script);
  });
}

function pipelineEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DATABASE_URL: database.url,
    REDIS_PREFIX: redisPrefix,
    SECRET_KEY: randomBytes(32).toString('base64'),
    ADMIN_TOKEN: adminToken,
    HTTP_PORT: String(apiPort),
    HTTP_REQUESTS_PER_SECOND: '100000',
    HEALTH_PORT: '0',
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: 'warn',
  };
}

function fail(name: string, code: number | null): void {
  process.stderr.write(`${name} ended with ${code}; see ${logFolder}/${name}.log\n`);
  process.exit(1);
}
