/** `npm run lanes` against a real API, as a user runs it. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { destinationRoutes } from '../src/pace-view/destination-routes.ts';
import { laneRoutes } from '../src/pace-view/lane-routes.ts';
import { insertDestination, insertLane, publishPace } from '../src/pace-view/test-view.ts';
import { startTestApi, type TestApi, type TestTenant } from '../src/testing/test-api.ts';
import { silentLog } from '../src/testing/test-database.ts';

let api: TestApi;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db, redis, config, clock }) => {
      const view = { db, redis, prefix: config.REDIS_PREFIX, clock, log: silentLog };
      return [...destinationRoutes(view), ...laneRoutes(view)];
    },
  });
  tenant = await api.createTenant();
  const { destinationId } = await insertDestination(api.db, { owner: tenant.tenantId, name: 'gmail' });
  await insertLane(api.db, { tenantId: tenant.tenantId, destinationId, fresh: 500, outstanding: 30 });
  await publishPace(api, destinationId, { limitedBy: 'slow' });
});
afterAll(() => api.stop());

test('destinations and lanes are printed once where there is no terminal', async () => {
  const destinations = await run('--url', api.url, '--key', tenant.secret, '--watch');
  expect(destinations).toMatchObject({ code: 0, stderr: '' });
  expect(destinations.stdout).toMatch(
    /^TRANSPORT +DESTINATION +BACKLOG .*\n.* gmail +500 +30 +300 +100\/s .* slow: It answers slowly/,
  );
  const lanes = await run('--url', `${api.url}/v1`, '--key', tenant.secret, '--lanes');
  expect(lanes.stdout).toMatch(/ gmail +campaign +500 +0 +30 +100 +now +slow: /);
  const all = await run('--url', api.url, '--key', api.config.ADMIN_TOKEN as string, '--admin');
  expect(all.stdout).toContain('gmail');
  const none = await api.createTenant();
  expect((await run('--url', api.url, '--key', none.secret)).stdout).toContain('No destinations yet');
});

test('what is wrong is said in a line, and the exit code says that something is', async () => {
  const usage = await run();
  expect([usage.code, usage.stderr]).toEqual([2, expect.stringContaining('usage: npm run lanes')]);
  const unknown = await run('--url', api.url, '--key', 'nonsense');
  expect([unknown.code, unknown.stderr.trim()]).toEqual([
    1,
    'the key is not known: it is mistyped or revoked',
  ]);
  const limited = await api.createKey(tenant.tenantId, ['lists:read']);
  expect((await run('--url', api.url, '--key', limited.secret)).stderr).toContain('the key may not do this');
  const nowhere = await run('--url', 'http://127.0.0.1:1', '--key', 'x');
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('does not answer')]);
});

function run(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['dist/scripts/lanes.js', ...args]);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (data: Buffer) => {
      output[name] += data.toString();
    });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
}
