/** Sluice's REST API as its users call it. A refusal that nobody expected ends the iteration, and is an error of the run. */
import { sleep } from 'k6';
import http, { type RefinedResponse } from 'k6/http';
import { baseUrl } from './settings.ts';

/**
 * Thresholds hold for `read` and `write`, what people wait for. `upload` takes as long as its file; `setup` and `judge` prepare and read a run. `refused`:
 * it must be.
 */
export type Kind = 'read' | 'write' | 'upload' | 'setup' | 'judge' | 'refused';

export interface Caller {
  readonly token: string;
  readonly kind: Kind;
}

// biome-ignore lint/suspicious/noExplicitAny: a load test reads a few fields of each reply, as a script would.
export type Json = any;

/** Figures are kept by route: `/v1/campaigns/{id}`, whichever campaign it was. */
export interface Target {
  readonly route: string;
  /** In the order of the route's `{...}`. */
  readonly ids?: readonly string[];
  readonly query?: string;
}

const timeout = '60s';
const triesWhenLimited = 20;
/** Idempotency keys: no two runs and no two virtual users share one. */
const instance = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
let calls = 0;

export function get(caller: Caller, target: Target): Json {
  return send(caller, 'GET', target);
}

export function post(caller: Caller, target: Target, body: unknown = {}): Json {
  return send(caller, 'POST', target, { type: 'application/json', text: JSON.stringify(body) });
}

export function upload(caller: Caller, target: Target, csv: string): Json {
  return send(caller, 'POST', target, { type: 'text/csv', text: csv });
}

export function remove(caller: Caller, target: Target): void {
  send(caller, 'DELETE', target);
}

/** The problem document of a call that has to be refused with this status. */
export function refuse(token: string, target: Target, status: number): Json {
  const response = request({ token, kind: 'refused' }, 'GET', target, undefined, status);
  if (response.status !== status) throw new Error(describe('GET', target, response));
  return response.json();
}

interface Body {
  readonly type: string;
  readonly text: string;
}

function send(caller: Caller, method: string, target: Target, body?: Body): Json {
  const isPatient = caller.kind === 'setup' || caller.kind === 'judge';
  for (let tries = 1; ; tries++) {
    const response = request(caller, method, target, body);
    if (response.status >= 200 && response.status < 300) return response.body ? response.json() : undefined;
    // An installation with its usual limits: what prepares and reads a run may be slow, what measures may not.
    if (response.status !== 429 || !isPatient || tries === triesWhenLimited)
      throw new Error(describe(method, target, response));
    sleep(1);
  }
}

function request(
  { token, kind }: Caller,
  method: string,
  target: Target,
  body?: Body,
  refusal?: number,
): RefinedResponse<'text'> {
  return http.request(method, urlOf(target), body?.text ?? null, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': body.type, 'idempotency-key': `k6-${instance}-${++calls}` }),
    },
    tags: { name: `${method} ${target.route}`, kind },
    timeout,
    responseType: 'text',
    responseCallback:
      refusal === undefined ? http.expectedStatuses({ min: 200, max: 299 }) : http.expectedStatuses(refusal),
  });
}

function urlOf({ route, ids = [], query }: Target): string {
  const left = [...ids];
  const path = route.replace(/\{[^}]+\}/g, () => encodeURIComponent(left.shift() ?? ''));
  return `${baseUrl}${path}${query === undefined ? '' : `?${query}`}`;
}

function describe(method: string, target: Target, response: RefinedResponse<'text'>): string {
  const why = response.error || (response.body ?? '').slice(0, 400);
  return `${method} ${urlOf(target)}: ${response.status} ${why}`;
}
