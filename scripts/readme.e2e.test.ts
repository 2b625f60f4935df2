/** README's "API in five steps", run by a shell as it stands, against real processes. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createTestDatabase,
  createTestRedis,
  type TestDatabase,
  type TestRedis,
} from '../src/testing/test-database.ts';
import { type Children, createChildren, findFreePort } from './demo/children.ts';
import { waitUntilReady } from './demo/wait-until-ready.ts';

const adminToken = randomBytes(24).toString('hex');
const folder = mkdtempSync(join(tmpdir(), 'sluice-readme-'));
let database: TestDatabase;
let redis: TestRedis;
let children: Children;
let apiPort: number;
let sinkPort: number;

beforeAll(async () => {
  [database, redis, apiPort, sinkPort] = await Promise.all([
    createTestDatabase(),
    createTestRedis(),
    findFreePort(),
    findFreePort(),
  ]);
  children = createChildren({ logFolder: folder, env: environment(), onDeath: () => undefined });
  const sink = children.start('sink', 'src/testing/smtp-sink/main.js', ['--port', String(sinkPort)]);
  await children.firstLine(sink);
  children.start('all', 'workers/all.js');
  await waitUntilReady(`http://127.0.0.1:${apiPort}`, new AbortController().signal);
});

afterAll(async () => {
  await children.stop();
  await redis.drop();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

test("README's curl lines send a campaign and show what became of each recipient", () => {
  const script = `set -eu\n${readCalls()}\nuntil [ "$(api $URL/campaigns/$CAMPAIGN | field state)" = sent ]; do sleep 0.1; done
echo; echo RESULT; api $URL/campaigns/$CAMPAIGN/deliveries`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, ADMIN_TOKEN: adminToken },
    timeout: 60_000,
  });
  expect(status, stderr + stdout).toBe(0);
  const { data } = JSON.parse(stdout.split('RESULT\n')[1] as string);
  const ends = data.map(
    (delivery: { email: string; state: string }) => `${delivery.email} ${delivery.state}`,
  );
  expect(ends.sort()).toEqual(['ada@example.com sent', 'grace@example.com sent']);
});

/** The block that begins with its shell functions, on this test's ports. */
function readCalls(): string {
  const block = readFileSync('README.md', 'utf8')
    .split('```')
    .find((text) => text.includes('call() {'));
  if (!block) throw new Error('README has no block of calls');
  return block
    .replace(/^sh\n/, '')
    .replace('http://localhost:8080', `http://127.0.0.1:${apiPort}`)
    .replace('2525', String(sinkPort));
}

function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    REDIS_PREFIX: redis.prefix,
    SECRET_KEY: randomBytes(32).toString('base64'),
    ADMIN_TOKEN: adminToken,
    HTTP_PORT: String(apiPort),
    HEALTH_PORT: '0',
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: 'warn',
  };
}
