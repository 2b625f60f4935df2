/** One log line and one observation for each request, when its reply is out or its client is gone. */
import type { Request, Response } from 'express';
import { Histogram } from 'prom-client';
import { formatId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { endRequestSpan } from '../tracing/request-span.ts';
import { contextOf, isQuiet } from './request-context.ts';

export type RecordRequest = (req: Request, res: Response) => void;

/** What nginx writes for a client that left before the reply. */
const clientGone = 499;

export function createRequestLog(parts: { log: Log; metrics: Metrics; clock: Clock }): RecordRequest {
  const { log, clock } = parts;
  const duration = createDurationHistogram(parts.metrics);
  return (req, res) => {
    const { requestId, principal, route, startedAt, span } = contextOf(res);
    const durationMs = Math.round((clock.monotonic() - startedAt) * 10) / 10;
    const status = res.writableFinished ? res.statusCode : clientGone;
    duration.observe({ method: req.method, route, status: String(status) }, durationMs / 1000);
    const caller = principal?.kind === 'tenant' && {
      tenantId: formatId('tenant', principal.tenantId),
      apiKeyId: formatId('apiKey', principal.apiKeyId),
    };
    const line = { requestId, ...caller, method: req.method, route, status, durationMs, ...span.fields };
    log[isQuiet(route) ? 'debug' : 'info'](line, 'request');
    const { tenantId } = caller || {};
    endRequestSpan(span, { method: req.method, route, status, requestId, tenantId });
  };
}

function createDurationHistogram(metrics: Metrics) {
  return new Histogram({
    name: 'sluice_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its reply',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [metrics],
  });
}
