/**
 * A real API server on a free port with a database and a Redis prefix of its own, and clients that speak JSON to it.
 * Every reply is held against the route's documentation.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { migrations } from '../../migrations/all.ts';
import { type Config, parseConfig } from '../config.ts';
import { type ApiServer, createApiServer } from '../http/api-server.ts';
import type { GrantedScope, Route } from '../http/route.ts';
import { createKeySecret, hashSecret, hintOf } from '../http/secret.ts';
import type { ApiKeyId, TenantId } from '../ids.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { createApiHealthChecks } from '../platform/health-checks.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import type { Database } from '../platform/mysql.ts';
import { insertApiKey } from '../tenants/api-key-store.ts';
import { insertTenant } from '../tenants/tenant-store.ts';
import { createTestDatabase, createTestRedis, silentLog } from './test-database.ts';

export interface TestDependencies {
  readonly db: Database;
  readonly redis: Redis;
  readonly config: Config;
  readonly clock: Clock;
  readonly url: string;
}

export interface TestApiOptions {
  /** The routes under test; health, metrics and documentation are there anyway. */
  readonly routes?: (parts: TestDependencies) => readonly Route[];
  /** Changes of the configuration, as in the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** Default: nothing is logged. */
  readonly log?: Log;
}

export interface TestApi extends TestDependencies {
  readonly server: ApiServer;
  readonly metrics: Metrics;
  /** Without any token. */
  readonly anonymous: TestClient;
  readonly admin: TestClient;
  /** A client with a key of a new tenant; all scopes unless told. */
  createTenant(options?: { name?: string; scopes?: readonly GrantedScope[] }): Promise<TestTenant>;
  /** A client with another key of a tenant. */
  createKey(tenantId: TenantId, scopes: readonly GrantedScope[]): Promise<TestTenant>;
  stop(): Promise<void>;
}

export interface TestTenant extends TestClient {
  readonly tenantId: TenantId;
  readonly apiKeyId: ApiKeyId;
  readonly secret: string;
}

export interface TestReply {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body, when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of every shape.
  readonly body: any;
  readonly text: string;
}

export interface TestCall {
  readonly body?: unknown;
  /** Bytes to send as they are; needs a content type among `headers`. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every POST gets an Idempotency-Key of its own unless the call has one. */
export interface TestClient {
  get(path: string, call?: TestCall): Promise<TestReply>;
  post(path: string, body?: unknown, call?: TestCall): Promise<TestReply>;
  put(path: string, body?: unknown, call?: TestCall): Promise<TestReply>;
  patch(path: string, body?: unknown, call?: TestCall): Promise<TestReply>;
  delete(path: string, call?: TestCall): Promise<TestReply>;
  request(method: string, path: string, call?: TestCall): Promise<TestReply>;
}

const adminToken = 'admin-token-of-the-tests';

export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const [database, testRedis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const { db } = database;
  const { redis } = testRedis;
  const clock = options.clock ?? systemClock;
  const config = testConfig({
    DATABASE_URL: database.url,
    REDIS_PREFIX: testRedis.prefix,
    ...options.environment,
  });
  const metrics = createMetrics('test');
  const routes = options.routes?.({ db, redis, config, clock, url: '' }) ?? [];
  const checks = createApiHealthChecks({ db, redis, migrations: migrations.map(({ name }) => name) });
  const server = createApiServer({
    ...{ config, db, redis, clock, metrics, routes, checks },
    ...{ log: options.log ?? silentLog, checkReplies: true },
  });
  await server.start();
  const url = `http://127.0.0.1:${server.port}`;
  const createKey = async (tenantId: TenantId, scopes: readonly GrantedScope[]) => {
    const secret = createKeySecret();
    const key = { name: 'test', scopes, hash: hashSecret(secret), hint: hintOf(secret) };
    const apiKeyId = await insertApiKey(db, tenantId, key);
    return { ...createTestClient(url, secret), tenantId, apiKeyId, secret };
  };
  return {
    ...{ db, redis, config, clock, url, server, metrics, createKey },
    anonymous: createTestClient(url, undefined),
    admin: createTestClient(url, adminToken),
    async createTenant({ name = 'Test', scopes = ['*'] as readonly GrantedScope[] } = {}) {
      return createKey(await insertTenant(db, { name, weight: 100 }), scopes);
    },
    async stop() {
      await server.stop();
      await Promise.all([database.drop(), testRedis.drop()]);
    },
  };
}

/** A complete configuration for tests; throws when `environment` makes it invalid. */
export function testConfig(environment: Readonly<Record<string, string>> = {}): Config {
  const result = parseConfig({
    DATABASE_URL: process.env.DATABASE_URL,
    REDIS_URL: process.env.REDIS_URL,
    SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    ADMIN_TOKEN: adminToken,
    HTTP_PORT: '0',
    HEALTH_PORT: '0',
    HTTP_REQUESTS_PER_SECOND: '10000',
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    STOP_TIMEOUT_MS: '5000',
    ...environment,
  });
  if (result.kind === 'valid') return result.config;
  throw new Error(result.errors.join('\n'));
}

export function createTestClient(url: string, token: string | undefined): TestClient {
  const request = async (method: string, path: string, call: TestCall = {}): Promise<TestReply> => {
    const { body, raw, headers } = call;
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(method === 'POST' && { 'Idempotency-Key': randomBytes(9).toString('base64url') }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(raw !== undefined && { body: raw }),
    });
    return readReply(response);
  };
  return {
    request,
    get: (path, call) => request('GET', path, call),
    post: (path, body, call) => request('POST', path, { ...call, body }),
    put: (path, body, call) => request('PUT', path, { ...call, body }),
    patch: (path, body, call) => request('PATCH', path, { ...call, body }),
    delete: (path, call) => request('DELETE', path, call),
  };
}

async function readReply(response: Response): Promise<TestReply> {
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : undefined,
    text,
  };
}
