/** Routes on express: what surrounds every request, paths from the general notation to express's, and the last resorts. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { AppError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { toAppError } from './problem.ts';
import { sendText, toProblemReply } from './reply.ts';
import { contextOf, openContext } from './request-context.ts';
import type { RecordRequest } from './request-log.ts';
import type { Route } from './route.ts';
import { createRouteHandler, type HandlerParts } from './route-handler.ts';
import { groupRoutes } from './route-table.ts';
import { setSecurityHeaders } from './security-headers.ts';

export interface AppParts extends HandlerParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly recordRequest: RecordRequest;
}

export function createExpressApp(routes: readonly Route[], parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').enable('strict routing');
  // Only a neighbour may speak for another address: a load balancer in the same network.
  app.set('trust proxy', 'loopback, linklocal, uniquelocal');
  app.use(openRequest(parts));
  for (const { path, routes: siblings } of groupRoutes(routes)) {
    const place = app.route(toExpressPath(path));
    for (const route of siblings) place[route.method](createRouteHandler(route, parts));
    place.all(refuseMethod(path, siblings));
  }
  app.use(() => {
    throw new AppError('not_found', { detail: 'There is no such path; /docs lists all' });
  });
  app.use(sendError(parts.log));
  return app;
}

/** `/v1/lists/{list_id}` as `/v1/lists/:list_id`; what express reads as a sign in the rest is escaped. */
export function toExpressPath(path: string): string {
  return path
    .split(/(\{\w+\})/)
    .map((piece, i) => (i % 2 === 1 ? `:${piece.slice(1, -1)}` : piece.replace(/[\\(){}[\]+?!:*]/g, '\\$&')))
    .join('');
}

function openRequest({ clock, recordRequest }: AppParts): RequestHandler {
  return (req, res, next) => {
    const { span } = openContext(req, res, clock);
    setSecurityHeaders(res);
    res.once('close', () => recordRequest(req, res));
    span.within(next);
  };
}

function refuseMethod(path: string, siblings: readonly Route[]): RequestHandler {
  const methods = siblings.map((route) => route.method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (req, res) => {
    contextOf(res).route = path;
    res.setHeader('Allow', allow);
    if (req.method !== 'OPTIONS') throw new AppError('method_not_allowed', { detail: `It takes ${allow}` });
    res.status(204).end();
  };
}

/** Express knows an error handler by its four parameters. */
function sendError(log: Log): ErrorRequestHandler {
  return async (thrown, req, res, _next) => {
    const error = toAppError(thrown);
    const { requestId, route } = contextOf(res);
    if (error.kind.status >= 500)
      log.error({ err: error.cause ?? error, requestId, route }, 'request failed');
    if (res.headersSent) res.destroy();
    else await sendText(req, res, toProblemReply(error, { instance: req.path, requestId }));
  };
}
