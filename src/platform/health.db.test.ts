import { afterEach, expect, test } from 'vitest';
import { createTestDatabase, createTestRedis, silentLog } from '../testing/test-database.ts';
import { createHealthServer, type HealthChecks, type HealthServer } from './health.ts';
import { createApiHealthChecks, createHealthChecks } from './health-checks.ts';
import { createMetrics } from './metrics.ts';

let server: HealthServer;
afterEach(() => server.stop());

async function startHealth(checks: HealthChecks): Promise<(path: string) => Promise<Response>> {
  server = createHealthServer({ port: 0, checks, metrics: createMetrics('test'), log: silentLog });
  await server.start();
  await server.start();
  return (path) => fetch(`http://127.0.0.1:${server.port}${path}`);
}

test('a process is ready while MySQL and Redis are there and the schema is migrated', async () => {
  const [database, { redis, drop }] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const get = await startHealth(
    createHealthChecks({ db: database.db, redis, migrations: ['0001-foundation'] }),
  );
  const ready = await get('/readyz');
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({ status: 'ready', checks: { mysql: 'ok', schema: 'ok', redis: 'ok' } });
  await drop();
  const unready = await get('/readyz');
  expect(unready.status).toBe(503);
  expect(await unready.json()).toMatchObject({
    status: 'not_ready',
    checks: { mysql: 'ok', redis: 'failed' },
  });
  await database.drop();
});

test('the API is ready without Redis, and says so; not without MySQL', async () => {
  const [database, { redis, drop }] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const get = await startHealth(
    createApiHealthChecks({ db: database.db, redis, migrations: ['0001-foundation'] }),
  );
  expect(await (await get('/readyz')).json()).toMatchObject({ status: 'ready', checks: { redis: 'ok' } });
  await drop();
  const degraded = await get('/readyz');
  expect(degraded.status).toBe(200);
  expect(await degraded.json()).toEqual({
    status: 'degraded',
    checks: { mysql: 'ok', schema: 'ok', redis: 'failed' },
  });
  await database.drop();
  const unready = await get('/readyz');
  expect(unready.status).toBe(503);
  expect(await unready.json()).toMatchObject({ status: 'not_ready', checks: { mysql: 'failed' } });
});

test('a schema older than the code is not ready', async () => {
  const [database, { redis, drop }] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const get = await startHealth(createHealthChecks({ db: database.db, redis, migrations: ['9999-to-come'] }));
  expect(await (await get('/readyz')).json()).toMatchObject({ checks: { schema: 'failed', mysql: 'ok' } });
  await Promise.all([drop(), database.drop()]);
});

test('a check that hangs is given up, and its words stay inside', async () => {
  const get = await startHealth({
    hangs: () => new Promise(() => {}),
    fails: () => Promise.reject(new Error('mysql://user:password@host')),
  });
  const text = await (await get('/readyz')).text();
  expect(JSON.parse(text).checks).toEqual({ hangs: 'timed_out', fails: 'failed' });
});

test('it is alive and has metrics, whatever else is broken', async () => {
  const get = await startHealth({ fails: () => Promise.reject(new Error('x')) });
  expect((await get('/livez')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toContain('process_cpu_seconds_total');
  expect((await get('/else')).status).toBe(404);
  await Promise.all([server.stop(), server.stop()]);
});
