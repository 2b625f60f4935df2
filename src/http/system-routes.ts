/** Calls about the server itself: health, metrics, and its own documentation. */
import { z } from 'zod';
import { checkHealth, type HealthChecks, httpStatusOf } from '../platform/health.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { defineRoute, json, type Route } from './route.ts';

export interface SystemParts {
  readonly checks: HealthChecks;
  readonly metrics: Metrics;
  readonly log: Log;
  /** The OpenAPI document of all routes, these included. */
  readonly document: () => object;
  readonly docsPage: () => { readonly html: string; readonly policy: string };
}

const tag = 'System';
const live = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });
const ready = z
  .object({
    status: z.enum(['ready', 'degraded', 'not_ready']),
    checks: z.record(z.string(), z.enum(['ok', 'failed', 'timed_out'])),
  })
  .meta({ id: 'Readiness' });

export function systemRoutes(parts: SystemParts): readonly Route[] {
  return [livez(), readyz(parts), metrics(parts), openapi(parts), docs(parts)];
}

function livez(): Route {
  return defineRoute({
    ...{ method: 'get', path: '/livez', operationId: 'getLiveness', tag, access: 'public' },
    summary: 'Is the process alive',
    responses: { 200: { description: 'It is', schema: live } },
    handle: async () => json(200, { status: 'ok' }),
  });
}

function readyz({ checks, log }: SystemParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/readyz', operationId: 'getReadiness', tag, access: 'public' },
    summary: 'Can it serve: MySQL is there, the schema is migrated',
    description:
      'Without Redis it is `degraded` and serves: limits of requests are then counted by each process for itself.',
    responses: {
      200: { description: 'It can: `ready` or `degraded`', schema: ready },
      503: { description: 'It can not: `not_ready`', schema: ready },
    },
    async handle() {
      const health = await checkHealth(checks, log);
      return json(httpStatusOf(health), health);
    },
  });
}

function metrics(parts: SystemParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/metrics', operationId: 'getMetrics', tag, access: 'admin' },
    summary: 'Metrics in the Prometheus text format',
    description: 'The same as on HEALTH_PORT, which asks for no token.',
    responses: { 200: { description: 'All metrics of this process', contentType: 'text/plain' } },
    handle: async () => ({
      kind: 'html',
      status: 200,
      body: await parts.metrics.metrics(),
      headers: { 'Content-Type': parts.metrics.contentType },
    }),
  });
}

function openapi({ document }: SystemParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/openapi.json', operationId: 'getOpenApi', tag, access: 'public' },
    summary: 'This description of the API, as OpenAPI 3.1',
    responses: { 200: { description: 'The document', schema: z.looseObject({ openapi: z.string() }) } },
    handle: async () => json(200, document()),
  });
}

function docs({ docsPage }: SystemParts): Route {
  return defineRoute({
    ...{ method: 'get', path: '/docs', operationId: 'getDocs', tag, access: 'public' },
    summary: 'This description of the API, for people',
    responses: { 200: { description: 'A page', contentType: 'text/html' } },
    async handle() {
      const { html, policy } = docsPage();
      return { kind: 'html', status: 200, body: html, headers: { 'Content-Security-Policy': policy } };
    },
  });
}
