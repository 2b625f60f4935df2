import { expect, test } from 'vitest';
import { allRoutes } from './http/api-server.ts';
import { type AppParts, createExpressApp } from './http/express-app.ts';
import { createOpenApi } from './http/openapi.ts';
import { deriveKeys } from './keys.ts';
import { createMetrics } from './platform/metrics.ts';
import { runHere } from './templates/template-jobs.ts';
import { testConfig } from './testing/test-api.ts';
import { silentLog } from './testing/test-database.ts';
import { testOpenApi } from './testing/test-openapi.ts';
import type { Platform } from './wiring.ts';
import { apiRoutes } from './wiring-api.ts';

/** No handler runs: what only they use may be missing. */
const config = testConfig({ DATABASE_URL: 'mysql://nowhere', REDIS_URL: 'redis://nowhere' });
const platform = { config, db: {}, redis: {}, keys: deriveKeys(config.SECRET_KEY) } as unknown as Platform;
const parts = { config, checks: {}, metrics: createMetrics('test'), log: silentLog };
const routes = allRoutes({ ...parts, routes: apiRoutes(platform, runHere) });

testOpenApi(createOpenApi(routes, config.PUBLIC_URL, '1'), createExpressApp(routes, {} as AppParts));

test('every call that creates something can be repeated safely', () => {
  const creating = routes.filter(({ method, responses }) => method === 'post' && 201 in responses);
  expect(creating.filter((route) => !route.idempotent).map((route) => route.operationId)).toEqual([]);
});
