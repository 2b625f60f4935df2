import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { composeLifecycle } from './platform/lifecycle.ts';
import { createTestClient, testConfig } from './testing/test-api.ts';
import { createTestDatabase, createTestRedis } from './testing/test-database.ts';
import { createPlatform } from './wiring.ts';
import { wireApi } from './wiring-api.ts';

const adminToken = 'admin-token-of-the-tests';

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startApi(redisUrl: string) {
  const database = await createTestDatabase();
  const port = await findFreePort();
  const config = testConfig({
    ...{ DATABASE_URL: database.url, REDIS_URL: redisUrl },
    ...{ HTTP_PORT: String(port), LOG_LEVEL: 'silent' },
  });
  const platform = createPlatform(config, 'api', { waitsForRedis: false });
  const api = composeLifecycle([platform, wireApi(platform)]);
  await api.start();
  const metrics = async (name: string) => (await platform.metrics.getSingleMetric(name)?.get())?.values;
  return {
    metrics,
    admin: createTestClient(`http://127.0.0.1:${port}`, adminToken),
    async stop() {
      await api.stop();
      await database.drop();
    },
  };
}

test('without Redis the API starts, is ready, and takes the calls that need only MySQL', async () => {
  const { admin, metrics, stop } = await startApi('redis://127.0.0.1:1');
  expect(await admin.get('/readyz')).toMatchObject({
    status: 200,
    body: { status: 'degraded', checks: { mysql: 'ok', schema: 'ok', redis: 'failed' } },
  });
  expect(await admin.post('/v1/tenants', { name: 'Acme' })).toMatchObject({ status: 201 });
  expect(await admin.get('/v1/platform/scaling')).toMatchObject({ status: 503 });
  expect(await metrics('sluice_redis_up')).toMatchObject([{ value: 0 }]);
  await stop();
});

test('with Redis it says so in its metrics, too', async () => {
  const { url, drop } = await createTestRedis();
  const { admin, metrics, stop } = await startApi(url);
  expect(await admin.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect(await metrics('sluice_redis_up')).toMatchObject([{ value: 1 }]);
  await stop();
  await drop();
});
