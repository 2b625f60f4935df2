/**
 * The span of a REST request. It goes on from the caller's trace by the propagator that the SDK brought; where that instruments node:http
 * itself, its span is active already, and ours is part of it.
 *
 * No path and no query, only the route: an unsubscribe link's path is a secret.
 */
import type { IncomingMessage } from 'node:http';
import { context, INVALID_SPAN_CONTEXT, propagation, SpanKind, trace } from '@opentelemetry/api';
import { OpenSpan, startSpan } from './span.ts';

export interface EndedRequest {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly requestId: string;
  readonly tenantId?: string | undefined;
}

export function startRequestSpan({ method = '', headers }: IncomingMessage): OpenSpan {
  if (trace.getActiveSpan()) return startSpan(method);
  return startSpan(method, {
    kind: SpanKind.SERVER,
    within: propagation.extract(context.active(), headers),
  });
}

/** For what nobody wants a trace of. */
export function noSpan(): OpenSpan {
  return new OpenSpan(trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
}

export function endRequestSpan(span: OpenSpan, request: EndedRequest): void {
  const { method, route, status, requestId, tenantId } = request;
  span.rename(`${method} ${route}`);
  span.set(() => ({
    'http.request.method': method,
    'http.route': route,
    'http.response.status_code': status,
    'sluice.request_id': requestId,
    ...(tenantId !== undefined && { 'sluice.tenant_id': tenantId }),
    ...(status >= 500 && { 'error.type': String(status) }),
  }));
  if (status >= 500) span.fail();
  span.end();
}
