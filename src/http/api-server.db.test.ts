import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { assertIfMatch, formatEtag } from './etag.ts';
import { problemSchema } from './problem-schema.ts';
import { defineRoute, json, type Route } from './route.ts';
import { idParam, pageQuery } from './schemas.ts';

let api: TestApi;
let tenant: TestTenant;
let unreadEntered = (): void => {};

beforeAll(async () => {
  api = await startTestApi({
    routes: () => testRoutes,
    environment: { HTTP_BODY_LIMIT_BYTES: '2048', IMPORT_LIMIT_BYTES: '4096' },
  });
  tenant = await api.createTenant({ scopes: ['lists:read', 'lists:write'] });
});
afterAll(() => api.stop());

const read = { tag: 'Test', access: 'lists:read', summary: 'x' } as const;
const write = { tag: 'Test', access: 'lists:write', summary: 'x' } as const;
const body = z.strictObject({ name: z.string(), tags: z.array(z.strictObject({ n: z.int() })).default([]) });
const ok = { 200: { description: 'ok', schema: z.looseObject({}) } };

const testRoutes: readonly Route[] = [
  defineRoute({
    ...{ method: 'get', path: '/v1/t/{list_id}', operationId: 'getThing', ...read, responses: ok },
    params: z.strictObject({ list_id: idParam('list') }),
    query: pageQuery,
    handle: async ({ params, query }) => json(200, { params, query }),
  }),
  defineRoute({
    ...{
      method: 'put',
      path: '/v1/t/{list_id}',
      operationId: 'putThing',
      ...write,
      responses: ok,
      ifMatch: true,
    },
    params: z.strictObject({ list_id: idParam('list') }),
    async handle({ headers }) {
      assertIfMatch(headers, 3);
      return json(200, {}, { ETag: formatEtag(4) });
    },
  }),
  defineRoute({
    ...{ method: 'post', path: '/v1/t/echo', operationId: 'echo', ...write, responses: ok, body },
    handle: async (request) => json(200, { ...request.body, scopes: request.scopes }),
  }),
  defineRoute({
    ...{ method: 'get', path: '/v1/t/broken', operationId: 'broken', ...read, responses: ok },
    handle: () => Promise.reject(new Error('a secret of ours')),
  }),
  defineRoute({
    ...{ method: 'get', path: '/v1/t/outage', operationId: 'outage', ...read, responses: ok },
    handle: () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })),
  }),
  defineRoute({
    ...{ method: 'get', path: '/v1/t/conflict', operationId: 'conflict', ...read, responses: ok },
    handle: () => Promise.reject(new AppError('illegal_transition', { detail: 'It is sent' })),
  }),
  defineRoute({
    ...{ method: 'post', path: '/v1/t/unread', operationId: 'unread', ...write, responses: ok },
    rawBody: ['any'],
    async handle({ signal }) {
      unreadEntered();
      await once(signal, 'abort');
      return json(200, {});
    },
  }),
  defineRoute({
    ...{ method: 'post', path: '/v1/t/import', operationId: 'importThing', ...write, responses: ok },
    rawBody: ['text/csv'],
    async handle({ raw }) {
      let length = 0;
      for await (const part of raw) length += (part as Buffer).length;
      return json(200, { length });
    },
  }),
];

test('a request is decoded for its handler', async () => {
  const reply = await tenant.get('/v1/t/lst_0000000001a?page_size=7');
  expect(reply).toMatchObject({ status: 200, body: { params: { list_id: 42 }, query: { page_size: 7 } } });
});

test('a literal path is found before a general one', async () => {
  expect((await tenant.get('/v1/t/conflict')).body.code).toBe('illegal_transition');
});

test('every reply has an id and headers that keep browsers from guessing', async () => {
  const given = await tenant.get('/livez', { headers: { 'X-Request-Id': 'trace-1:2.3' } });
  expect(given.headers.get('x-request-id')).toBe('trace-1:2.3');
  const hostile = await tenant.get('/nowhere', { headers: { 'X-Request-Id': 'a b"<script>' } });
  expect(hostile.headers.get('x-request-id')).toMatch(/^req_[\w-]{16}$/);
  expect(hostile.body.request_id).toBe(hostile.headers.get('x-request-id'));
  for (const { headers } of [given, hostile]) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
  }
});

test('an unknown path and an unknown method are problems', async () => {
  const path = await tenant.get('/v1/nowhere');
  expect(path).toMatchObject({ status: 404, body: { code: 'not_found', instance: '/v1/nowhere' } });
  expect(path.headers.get('content-type')).toContain('application/problem+json');
  const method = await tenant.delete('/v1/t/lst_0000000001a');
  expect(method).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
  expect(method.headers.get('allow')).toBe('GET, PUT, HEAD, OPTIONS');
  expect((await tenant.get('/v1/t/%E0%A4%A')).status).toBe(404);
});

test('problems are what their schema says, whatever their status', async () => {
  for (const path of ['/v1/nowhere', '/v1/t/conflict', '/v1/t/broken', '/v1/t/outage', '/v1/t/x?y=1']) {
    const { body: problem, status } = await tenant.get(path);
    expect(problemSchema.strict().parse(problem)).toMatchObject({ status });
  }
});

test('no word of a bug goes out', async () => {
  const { status, text, body: problem } = await tenant.get('/v1/t/broken');
  expect({ status, code: problem.code }).toEqual({ status: 500, code: 'internal' });
  expect(text).not.toMatch(/secret|at .*\.ts/);
});

test('a database that is away is a 503 that says when to come back', async () => {
  const reply = await tenant.get('/v1/t/outage');
  expect(reply).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(reply.headers.get('retry-after')).toBe('5');
});

test('all wrong fields come at once, as pointers', async () => {
  const reply = await tenant.post('/v1/t/echo', { tags: [{ n: 1 }, { n: 'x', m: 2 }], more: true });
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid_request' } });
  const pointers = reply.body.errors.map((error: { pointer: string }) => error.pointer).sort();
  expect(pointers).toEqual(['/more', '/name', '/tags/1/m', '/tags/1/n']);
});

test('the query is as strict as the body', async () => {
  const reply = await tenant.get('/v1/t/lst_0000000001a?page_size=0&pagesize=1');
  expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_query' } });
  expect(reply.body.errors.map((error: { parameter: string }) => error.parameter).sort()).toEqual([
    'page_size',
    'pagesize',
  ]);
  expect((await tenant.get('/v1/t/conflict?x=1')).body).toMatchObject({ code: 'invalid_query' });
  expect((await tenant.get('/v1/t/cmp_0000000001a')).body).toMatchObject({ code: 'not_found' });
});

const typed = { 'Content-Type': 'application/json' };
test.each([
  ['malformed JSON', '{"name":"x",}', typed, 400, 'malformed_json'],
  ['no JSON at all', '', typed, 422, 'invalid_request'],
  ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22]), typed, 400, 'malformed_body'],
  ['no object', '[]', typed, 422, 'invalid_request'],
  ['null', 'null', typed, 422, 'invalid_request'],
  ['another type', '{"name":"x"}', { 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
  [
    'another charset',
    '{}',
    { 'Content-Type': 'application/json; charset=latin1' },
    415,
    'unsupported_media_type',
  ],
  ['compressed', '{}', { ...typed, 'Content-Encoding': 'gzip' }, 415, 'unsupported_media_type'],
  ['too large', JSON.stringify({ name: 'x'.repeat(3000) }), typed, 413, 'payload_too_large'],
  ['nested without end', '['.repeat(1500), typed, 400, 'malformed_json'],
  ['a prototype', '{"name":"x","__proto__":{"a":1}}', typed, 422, 'invalid_request'],
] as const)('a body that is %s is refused', async (_what, raw, headers, status, code) => {
  const reply = await tenant.request('POST', '/v1/t/echo', { raw, headers });
  expect(reply).toMatchObject({ status, body: { code } });
});

test('the position of malformed JSON is told', async () => {
  const reply = await tenant.request('POST', '/v1/t/echo', { raw: '{"name":\n x}', headers: typed });
  expect(reply.body.detail).toContain('Position 10 (line 2, column 2)');
});

test('a body of many megabytes is refused in words, not by a broken connection', async () => {
  const raw = new Uint8Array(8_000_000).fill(0x20);
  const reply = await tenant.request('POST', '/v1/t/echo', { raw, headers: typed });
  expect(reply).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
});

test('a body without a length is counted as it comes', async () => {
  const status = await new Promise((resolve, reject) => {
    const headers = { ...typed, Authorization: `Bearer ${tenant.secret}` };
    const req = httpRequest(`${api.url}/v1/t/echo`, { method: 'POST', headers }, (res) =>
      resolve(res.statusCode),
    );
    req.on('error', reject);
    for (let i = 0; i < 30; i++) req.write('x'.repeat(1000));
    req.end();
  });
  expect(status).toBe(413);
});

test('an import is streamed to its handler and bounded as well', async () => {
  const csv = { 'Content-Type': 'text/csv; charset=utf-8' };
  const fits = await tenant.request('POST', '/v1/t/import', { raw: 'x'.repeat(4096), headers: csv });
  expect(fits).toMatchObject({ status: 200, body: { length: 4096 } });
  expect((await tenant.request('POST', '/v1/t/import', { raw: 'x'.repeat(4097), headers: csv })).status).toBe(
    413,
  );
  expect((await tenant.request('POST', '/v1/t/import', { raw: 'x', headers: typed })).status).toBe(415);
});

test('a client that leaves in the middle of a body that nobody reads does no harm', async () => {
  const entered = new Promise<void>((resolve) => {
    unreadEntered = resolve;
  });
  const headers = { Authorization: `Bearer ${tenant.secret}`, 'Content-Length': '4000' };
  const req = httpRequest(`${api.url}/v1/t/unread`, { method: 'POST', headers });
  req.on('error', () => {});
  req.write('x'.repeat(100));
  await entered;
  req.destroy();
  expect((await api.anonymous.get('/livez')).status).toBe(200);
});

test('a change needs the ETag that was read last', async () => {
  const put = (headers: Record<string, string>) =>
    tenant.request('PUT', '/v1/t/lst_0000000001a', { headers });
  expect((await put({})).status).toBe(428);
  expect((await put({ 'If-Match': '"v2"' })).status).toBe(412);
  const changed = await put({ 'If-Match': '"v3"' });
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).toBe('"v4"');
});

test.each([
  ['none', undefined, undefined],
  ['another scheme', 'Basic YTpi', undefined],
  ['an unknown key', `Bearer sk_${'A'.repeat(43)}`, 'invalid_token'],
  ['rubbish', "Bearer ' OR 1=1 --", undefined],
  ['another token', 'Bearer admin-token-of-the-test', 'invalid_token'],
])('with %s as authorization nobody is let in', async (_what, value, error) => {
  const reply = await api.anonymous.get('/v1/t/conflict', value ? { headers: { Authorization: value } } : {});
  expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer realm="sluice"/);
  if (error) expect(reply.headers.get('www-authenticate')).toContain(error);
});

test('health is public, metrics need the admin token on this port', async () => {
  expect((await api.anonymous.get('/livez')).body).toEqual({ status: 'ok' });
  const ready = await api.anonymous.get('/readyz');
  expect(ready).toMatchObject({ status: 200, body: { checks: { mysql: 'ok', redis: 'ok', schema: 'ok' } } });
  expect((await api.anonymous.get('/metrics')).status).toBe(401);
  await tenant.get('/v1/t/lst_0000000001a');
  const { text } = await api.admin.get('/metrics');
  expect(text).toMatch(
    /sluice_http_request_duration_seconds_count\{process="test",method="GET",route="\/v1\/t\/\{list_id\}",status="200"/,
  );
  expect(text).not.toContain('lst_0000000001a');
});

test('what is no HTTP at all is answered and closed', async () => {
  const text = await new Promise<string>((resolve) => {
    let received = '';
    const socket = connect(api.server.port, '127.0.0.1', () => socket.end('NONSENSE\r\n\r\n'));
    socket.on('data', (part) => {
      received += part;
    });
    socket.on('close', () => resolve(received));
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
});
