/** From express's request to the handler's: every part decoded by the route's schemas, or one problem that tells all. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Request } from 'express';
import { AppError } from '../errors.ts';
import { assertContentType, hasBody, limitBody, readBody, readContentType } from './body.ts';
import { parseJsonText } from './json-text.ts';
import type { Principal } from './principal.ts';
import type { RequestContext } from './request-context.ts';
import type { Route, RouteRequest } from './route.ts';
import { validatePart } from './validation.ts';

export interface RequestLimits {
  readonly jsonBytes: number;
  readonly rawBytes: number;
  readonly bodyTimeoutMs: number;
}

// biome-ignore lint/suspicious/noExplicitAny: the schemas that made the parts are the route's own.
export type AnyRequest = RouteRequest<any, any, any>;

export interface ReadRequest {
  readonly request: AnyRequest;
  /** SHA-256 over what makes a repeated request the same: method, path, and body (of a raw one what its headers say of it). */
  readonly fingerprint: Buffer;
}

export async function readRequest(
  route: Route,
  req: Request,
  caller: { principal: Principal; context: RequestContext; limits: RequestLimits },
): Promise<ReadRequest> {
  const { principal, context, limits } = caller;
  if (route.ifMatch && req.headers['if-match'] === undefined) throw ifMatchMissing();
  const params = route.params ? validatePart('path', route.params, req.params) : {};
  const query = readQuery(route, req);
  const bytes = route.rawBody ? undefined : await readJsonBytes(req, limits);
  const body = bytes && decodeBody(route, bytes);
  if (route.rawBody) assertContentType(req, route.rawBody);
  const request: AnyRequest = {
    ...{ tenantId: principal.tenantId, apiKeyId: principal.apiKeyId, scopes: principal.scopes },
    ...{ params, query, body, headers: req.headers },
    raw: route.rawBody ? limitBody(req, limits.rawBytes) : Readable.from([]),
    requestId: context.requestId,
    signal: context.signal,
  };
  return { request, fingerprint: fingerprintOf(req, bytes) };
}

function ifMatchMissing(): AppError {
  return new AppError('precondition_required', { errors: [{ parameter: 'If-Match', detail: 'is missing' }] });
}

function readQuery(route: Route, req: Request): unknown {
  if (route.query) return validatePart('query', route.query, { ...req.query });
  const errors = Object.keys(req.query).map((parameter) => ({
    parameter,
    detail: 'is not a known parameter',
  }));
  if (errors.length > 0) throw new AppError('invalid_query', { errors });
  return {};
}

async function readJsonBytes(req: Request, { jsonBytes, bodyTimeoutMs }: RequestLimits): Promise<Buffer> {
  if (req.method === 'GET' || req.method === 'HEAD' || !hasBody(req)) return Buffer.alloc(0);
  assertContentType(req, ['application/json']);
  return readBody(req, { maxBytes: jsonBytes, timeoutMs: bodyTimeoutMs });
}

function decodeBody(route: Route, bytes: Buffer): unknown {
  if (route.body)
    return validatePart('body', route.body, bytes.length > 0 ? parseJsonText(bytes) : undefined);
  const isEmpty = bytes.length === 0 || /^\s*\{\s*\}\s*$/.test(bytes.toString('latin1'));
  if (isEmpty) return undefined;
  throw new AppError('invalid_request', {
    detail: 'This call takes no body',
    errors: [{ pointer: '', detail: 'must be empty' }],
  });
}

function fingerprintOf(req: Request, bytes: Buffer | undefined): Buffer {
  return createHash('sha256')
    .update(`${req.method} ${req.originalUrl}\n`)
    .update(bytes ?? describeRaw(req))
    .digest();
}

/** A file is not read to compare it: its type, its length and the digest that the caller may send (RFC 9530) stand for it. */
function describeRaw({ headers }: Request): string {
  const [type] = readContentType(headers['content-type']);
  return [type, headers['content-length'] ?? '', headers['content-digest'] ?? ''].join('\n');
}
