/**
 * The life of a request on a route, in order:
 *
 *   caller (401, 403) -> rate (429) -> path, query, headers, body (4xx with all errors) -> idempotency (replay, 409, 422)
 *   -> handler -> reply
 *
 * Nothing is read of the body before the caller is known and within its rate.
 */
import type { Request, RequestHandler, Response } from 'express';
import type { Authenticate } from './authentication.ts';
import type { RunOnce } from './idempotency.ts';
import type { Principal } from './principal.ts';
import { toAppError } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import { sendStream, sendText, type TextReply, toProblemReply, toTextReply } from './reply.ts';
import { assertReply } from './reply-check.ts';
import { contextOf, type RequestContext } from './request-context.ts';
import { type AnyRequest, type ReadRequest, type RequestLimits, readRequest } from './request-reading.ts';
import type { Route } from './route.ts';

export interface HandlerParts {
  readonly authenticate: Authenticate;
  readonly rateLimit: RateLimit;
  /** A tenant's key was used. */
  readonly noteUse: (principal: Principal) => void;
  readonly runOnce: RunOnce;
  readonly limits: RequestLimits;
  /** Aborted when the server stops: streams end. */
  readonly stopping: AbortSignal;
  /** Compares every reply with the route's schema; tests do. */
  readonly checkReplies: boolean;
}

export function createRouteHandler(route: Route, parts: HandlerParts): RequestHandler {
  return async (req, res) => {
    const context = contextOf(res);
    context.route = route.path;
    const principal = await admit(route, parts, req, res);
    const read = await readRequest(route, req, { principal, context, limits: parts.limits });
    if (route.idempotent) await answerOnce(route, parts, { req, res, read, principal });
    else await answer(route, parts, { req, res, request: read.request });
  };
}

async function admit(route: Route, parts: HandlerParts, req: Request, res: Response): Promise<Principal> {
  const principal = await parts.authenticate(req, res, route.access);
  contextOf(res).principal = principal;
  if (principal.kind === 'tenant') parts.noteUse(principal);
  if (principal.kind !== 'public') {
    await parts.rateLimit.charge(res, principal.kind === 'admin' ? 'admin' : `key-${principal.apiKeyId}`);
  }
  return principal;
}

async function answer(
  route: Route,
  parts: HandlerParts,
  { req, res, request }: { req: Request; res: Response; request: AnyRequest },
): Promise<void> {
  const reply = await route.handle(request);
  if (reply.kind === 'stream') {
    await sendStream(res, reply, AbortSignal.any([contextOf(res).signal, parts.stopping]));
  } else {
    const text = toTextReply(reply);
    if (parts.checkReplies) assertReply(route, text);
    await sendText(req, res, text);
  }
}

async function answerOnce(
  route: Route,
  parts: HandlerParts,
  { req, res, read, principal }: { req: Request; res: Response; read: ReadRequest; principal: Principal },
): Promise<void> {
  const { fingerprint, request } = read;
  const header = req.headers['idempotency-key'];
  const call = { tenantId: principal.tenantId, header: String(header ?? ''), fingerprint };
  const reply = await parts.runOnce(call, () => settle(route, parts, request, req, contextOf(res)));
  await sendText(req, res, reply);
}

/** The handler's reply, or its error as the problem that a repeated request shall see again. */
async function settle(
  route: Route,
  parts: HandlerParts,
  request: AnyRequest,
  req: Request,
  context: RequestContext,
): Promise<TextReply> {
  try {
    const reply = await route.handle(request);
    if (reply.kind === 'stream') throw new Error(`${route.operationId} is idempotent and can't stream`);
    const text = toTextReply(reply);
    if (parts.checkReplies) assertReply(route, text);
    return text;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.kind.retry !== 'never') throw thrown;
    return toProblemReply(error, { instance: req.path, requestId: context.requestId });
  }
}
