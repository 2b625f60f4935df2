/** What is known of a request while it is worked on; it hangs on the response and feeds the log line and the metrics. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import { noSpan, startRequestSpan } from '../tracing/request-span.ts';
import type { OpenSpan } from '../tracing/span.ts';
import type { Principal } from './principal.ts';

export interface RequestContext {
  readonly requestId: string;
  /** Monotonic. */
  readonly startedAt: number;
  /** Aborted when the client goes away before the reply is out. */
  readonly signal: AbortSignal;
  readonly span: OpenSpan;
  /** The route's path as in its spec: a label of bounded values. */
  route: string;
  principal: Principal | undefined;
}

const contexts = new WeakMap<ServerResponse, RequestContext>();
/** Asked every few seconds by machines: not worth a trace, or a line in the log. */
const quietPaths = new Set(['/livez', '/readyz', '/metrics']);
const saneRequestId = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;

export function openContext(req: IncomingMessage, res: ServerResponse, clock: Clock): RequestContext {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const context: RequestContext = {
    requestId: requestIdOf(req),
    startedAt: clock.monotonic(),
    signal: gone.signal,
    span: isQuiet(req.url) ? noSpan() : startRequestSpan(req),
    route: 'unmatched',
    principal: undefined,
  };
  contexts.set(res, context);
  res.setHeader('X-Request-Id', context.requestId);
  return context;
}

export function isQuiet(path: string | undefined): boolean {
  return quietPaths.has(path ?? '');
}

/** The context that `openContext` made for this response. */
export function contextOf(res: ServerResponse): RequestContext {
  const context = contexts.get(res);
  if (!context) throw new Error('The response has no request context');
  return context;
}

/** The caller's own id when it is harmless in logs and headers, else a random one. */
function requestIdOf(req: IncomingMessage): string {
  const given = req.headers['x-request-id'];
  if (typeof given === 'string' && saneRequestId.test(given)) return given;
  return `req_${randomBytes(12).toString('base64url')}`;
}
