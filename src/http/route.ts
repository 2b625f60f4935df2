/**
 * A route as data: what it takes, what it answers and who may call it. The server, the OpenAPI document and the
 * test that compares the two are all made from these.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { ZodObject, ZodType, z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { ApiKeyId, TenantId } from '../ids.ts';

/** What an API key may be allowed to do. `*` in a key means all of them. */
export const scopes = [
  'profiles:read',
  'profiles:write',
  'lists:read',
  'lists:write',
  'templates:read',
  'templates:write',
  'transports:read',
  'transports:write',
  'suppressions:read',
  'suppressions:write',
  'campaigns:read',
  'campaigns:write',
  'keys:read',
  'keys:write',
] as const;
export type Scope = (typeof scopes)[number];
export type GrantedScope = Scope | '*';

/** Who may call: a tenant's API key with a scope, the admin token, or anybody. */
export type Access = Scope | 'admin' | 'public';

export type RouteReply =
  | {
      readonly kind: 'json';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The handler writes the body itself until done or the client goes; used by the live progress stream. */
  | {
      readonly kind: 'stream';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly write: (out: Writable, signal: AbortSignal) => Promise<void>;
    }
  /** A page for people, such as the unsubscribe form. */
  | {
      readonly kind: 'html';
      readonly status: number;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface RouteRequest<Params, Query, Body> {
  /** The tenant of the API key. Zero for admin and public routes. */
  readonly tenantId: TenantId;
  readonly apiKeyId: ApiKeyId;
  /** What the API key may do; `*` is everything. The admin token has `*`, public routes nothing. */
  readonly scopes: readonly GrantedScope[];
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
  /** The body's bytes, unread, for routes with `rawBody`; errs with `payload_too_large` beyond IMPORT_LIMIT_BYTES. */
  readonly raw: Readable;
  /** Aborted when the client goes away. A handler may ignore it: what it does is finished and recorded all the same. */
  readonly signal: AbortSignal;
}

export interface RouteSpec<P extends ZodObject, Q extends ZodObject, B extends ZodType> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI style: `/v1/campaigns/{campaign_id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly access: Access;
  /** Strict objects: unknown names are errors. Parameters in the path are validated and decoded by `params`. */
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Content types whose bytes the handler reads from `raw`, or `any`; then `body` is not used. */
  readonly rawBody?: readonly string[];
  /** A POST that creates something: it needs an Idempotency-Key (replayed, 409 while running, 422 on another payload). */
  readonly idempotent?: boolean;
  /** Errors that the handler throws, for the documentation. Those of what the route takes are added by themselves. */
  readonly problems?: readonly ErrorCode[];
  /** It changes something that has an ETag: it needs If-Match (428 without; the handler compares and throws 412). */
  readonly ifMatch?: boolean;
  /**
   * Status -> schema of the JSON body, or the content type of another one, or a description where there is none.
   * Problems are added by themselves; one that is listed keeps its description.
   */
  readonly responses: Readonly<
    Record<
      number,
      {
        readonly description: string;
        readonly schema?: ZodType;
        readonly contentType?: string;
        readonly headers?: Readonly<Record<string, string>>;
      }
    >
  >;
  handle(request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>>): Promise<RouteReply>;
}

/** Routes of any shape, as the server holds them. */
// biome-ignore lint/suspicious/noExplicitAny: a list of routes mixes shapes; each one was checked by defineRoute.
export type Route = RouteSpec<any, any, any>;

/** Checks a route's types where it is written. */
export function defineRoute<
  P extends ZodObject = ZodObject,
  Q extends ZodObject = ZodObject,
  B extends ZodType = ZodType,
>(spec: RouteSpec<P, Q, B>): Route {
  return spec;
}

export function json(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): RouteReply {
  return { kind: 'json', status, body, ...(headers && { headers }) };
}
