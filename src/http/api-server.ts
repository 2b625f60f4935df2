/**
 * The REST API as one part that starts and stops: routes of the stages and of the server itself, on express, with
 * authentication, rate limits, idempotency and documentation around them.
 */

import type { Config } from '../config.ts';
import type { Clock } from '../platform/clock.ts';
import type { HealthChecks } from '../platform/health.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Database } from '../platform/mysql.ts';
import type { RedisClient } from '../platform/redis.ts';
import { findBearer } from '../tenants/api-key-store.ts';
import { createKeyUsage } from '../tenants/key-usage.ts';
import { createAuthentication } from './authentication.ts';
import { renderDocsPage } from './docs-page.ts';
import { createExpressApp } from './express-app.ts';
import { createHttpListener } from './http-listener.ts';
import { createIdempotency } from './idempotency.ts';
import { createIdempotencyStore } from './idempotency-store.ts';
import { createOpenApi } from './openapi.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRequestLog } from './request-log.ts';
import type { Route } from './route.ts';
import { createReplySeal } from './sealed-reply.ts';
import { systemRoutes } from './system-routes.ts';

export interface ApiServerOptions {
  readonly config: Config;
  readonly db: Database;
  readonly redis: RedisClient;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Of the stages; the server adds its own (health, metrics, documentation). */
  readonly routes: readonly Route[];
  /** Answered on /readyz. */
  readonly checks: HealthChecks;
  /** Fail replies that differ from their documentation. For tests. */
  readonly checkReplies?: boolean;
}

export interface ApiServer extends Lifecycle {
  /** The port that is listened on, once started. */
  readonly port: number;
}

/** Database and Redis are started and stopped by the caller. `stop` ends within STOP_TIMEOUT_MS. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { config, db, log, clock, metrics } = options;
  const stopping = new AbortController();
  const keyUsage = createKeyUsage({ sql: db, clock, log });
  const rateLimit = createRateLimit({
    redis: options.redis,
    prefix: config.REDIS_PREFIX,
    requestsPerSecond: config.HTTP_REQUESTS_PER_SECOND,
  });
  const listener = createExpressApp(allRoutes(options), {
    ...{ log, clock, rateLimit, stopping: stopping.signal, checkReplies: options.checkReplies ?? false },
    noteUse: (principal) => keyUsage.note(principal.tenantId, principal.apiKeyId),
    authenticate: createAuthentication({
      adminToken: config.ADMIN_TOKEN,
      findKey: (hash) => findBearer(db, hash),
      rateLimit,
      clock,
    }),
    runOnce: createIdempotency(createIdempotencyStore(db, createReplySeal(config.SECRET_KEY)), log),
    recordRequest: createRequestLog({ log, metrics, clock }),
    limits: {
      jsonBytes: config.HTTP_BODY_LIMIT_BYTES,
      rawBytes: config.IMPORT_LIMIT_BYTES,
      bodyTimeoutMs: 30_000,
    },
  });
  const server = createHttpListener({
    ...{ listener, log, port: config.HTTP_PORT, stopTimeoutMs: config.STOP_TIMEOUT_MS },
    onStopping: () => stopping.abort(),
  });
  return {
    get port() {
      return server.port;
    },
    async start() {
      await keyUsage.start();
      await server.start();
    },
    async stop() {
      await server.stop();
      await keyUsage.stop();
    },
  };
}

/** The stages' routes and the server's own, which describe all of them. */
export function allRoutes(
  options: Pick<ApiServerOptions, 'config' | 'routes' | 'checks' | 'metrics' | 'log'>,
): readonly Route[] {
  const routes: Route[] = [...options.routes];
  const document = once(() => createOpenApi(routes, options.config.PUBLIC_URL, apiVersion));
  const docsPage = once(() => renderDocsPage(document()));
  routes.push(...systemRoutes({ ...options, document, docsPage }));
  return routes;
}

const apiVersion = '1';

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
