import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { createIdempotencyStore, sweepIdempotencyKeys } from './idempotency-store.ts';
import { defineRoute, json, type Route, type RouteReply } from './route.ts';
import { createReplySeal } from './sealed-reply.ts';

let api: TestApi;
let tenant: TestTenant;
/** What the handler does when it is called, and how often it was. */
let handle: () => Promise<RouteReply>;
let calls: number;

beforeAll(async () => {
  api = await startTestApi({ routes: () => [...testRoutes] });
});
beforeEach(async () => {
  tenant = await api.createTenant();
  calls = 0;
  handle = async () => json(201, { n: calls }, { Location: `/v1/things/${calls}`, ETag: '"v1"' });
});
afterAll(() => api.stop());

const common = { tag: 'Test', access: 'lists:write', summary: 'x', idempotent: true } as const;
const responses = { 201: { description: 'Created', schema: z.object({ n: z.int() }) } };
const run = () => {
  calls++;
  return handle();
};
const testRoutes: readonly Route[] = [
  defineRoute({
    ...{ method: 'post', path: '/v1/things', operationId: 'createThing', ...common, responses },
    body: z.strictObject({ name: z.string() }),
    handle: run,
  }),
  defineRoute({
    ...{
      method: 'post',
      path: '/v1/files',
      operationId: 'createFile',
      ...common,
      responses,
      rawBody: ['text/csv'],
    },
    handle: run,
  }),
];

const create = (key: string, name = 'a') =>
  tenant.post('/v1/things', { name }, { headers: { 'Idempotency-Key': key } });

test('a repeated request has one effect and the same answer', async () => {
  const [first, again] = [await create('k'), await create('"k"')];
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again).toMatchObject({ status: 201, body: first.body });
  for (const name of ['location', 'etag', 'content-type']) {
    expect(again.headers.get(name)).toBe(first.headers.get(name));
  }
  expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  expect(calls).toBe(1);
});

test('the same key with another body or path is refused', async () => {
  await create('k');
  expect(await create('k', 'b')).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
  const headers = { 'Idempotency-Key': 'k', 'Content-Type': 'text/csv' };
  expect((await tenant.request('POST', '/v1/files', { raw: 'x', headers })).status).toBe(422);
  expect(calls).toBe(1);
});

test('while the first runs, the second is told to come back', async () => {
  let finish = (_reply: RouteReply): void => {};
  const entered = new Promise<void>((resolve) => {
    handle = () => {
      resolve();
      return new Promise((done) => {
        finish = done;
      });
    };
  });
  const first = create('k');
  await entered;
  const second = await create('k');
  expect(second).toMatchObject({ status: 409, body: { code: 'idempotency_in_progress' } });
  expect(second.headers.get('retry-after')).toBe('1');
  finish(json(201, { n: 1 }));
  expect((await first).status).toBe(201);
  expect((await create('k')).status).toBe(201);
  expect(calls).toBe(1);
});

test('of many at once, one has the effect', async () => {
  const replies = await Promise.all(Array.from({ length: 12 }, () => create('k')));
  expect(calls).toBe(1);
  expect(replies.filter((reply) => reply.status === 201).length).toBeGreaterThan(0);
  expect(replies.every((reply) => [201, 409].includes(reply.status))).toBe(true);
});

test('an error that stays is replayed, one that may pass gives the key back', async () => {
  handle = () => Promise.reject(new AppError('conflict', { detail: 'There is one already' }));
  const refused = await create('stays');
  expect(refused.status).toBe(409);
  expect((await create('stays')).body).toEqual(refused.body);
  expect(calls).toBe(1);
  handle = () => Promise.reject(new Error('a bug'));
  expect((await create('passes')).status).toBe(500);
  handle = async () => json(201, { n: 9 });
  expect((await create('passes')).status).toBe(201);
});

test('a request that was invalid does not use its key up', async () => {
  const headers = { 'Idempotency-Key': 'k' };
  expect((await tenant.post('/v1/things', { nam: 'a' }, { headers })).status).toBe(422);
  expect((await create('k')).status).toBe(201);
});

test.each(['', '""', 'x'.repeat(256), 'caf\u00e9'])('the key %j is refused', async (key) => {
  const reply = await create(key);
  expect(reply).toMatchObject({ status: 400, body: { code: 'idempotency_key_missing' } });
  expect(reply.body.errors[0].parameter).toBe('Idempotency-Key');
});

test('a key whose holder died is taken over when its lock has run out, once', async () => {
  await insertRunning('k', -1);
  const replies = await Promise.all([create('k'), create('k')]);
  expect(calls).toBe(1);
  expect(replies.map((reply) => reply.status)).toContain(201);
  await insertRunning('held', 20);
  expect((await create('held')).status).toBe(409);
});

test('a holder that lost its key writes nothing any more', async () => {
  const store = createIdempotencyStore(api.db, createReplySeal(api.config.SECRET_KEY));
  const claim = { tenantId: tenant.tenantId, keyHash: hash('k'), fingerprint: hash('f'), owner: 'first' };
  expect(await store.claim(claim, -1)).toEqual({ kind: 'claimed' });
  expect(await store.claim({ ...claim, owner: 'second' }, 30)).toEqual({ kind: 'claimed' });
  await store.complete(claim, { status: 201, headers: {}, body: 'of the first' });
  await store.release(claim);
  await store.renew(claim, -100);
  expect(await store.claim({ ...claim, owner: 'third' }, 30)).toMatchObject({ kind: 'running' });
  await store.complete({ ...claim, owner: 'second' }, { status: 201, headers: {}, body: 'of the second' });
  expect(await store.claim(claim, 30)).toMatchObject({ kind: 'done', reply: { body: 'of the second' } });
});

test('a reply longer than is kept is replayed without its body', async () => {
  const store = createIdempotencyStore(api.db, createReplySeal(api.config.SECRET_KEY));
  const claim = { tenantId: tenant.tenantId, keyHash: hash('long'), fingerprint: hash('f'), owner: 'me' };
  await store.claim(claim, 30);
  await store.complete(claim, { status: 200, headers: { A: 'b' }, body: 'x'.repeat(4_000_001) });
  expect(await store.claim(claim, 30)).toMatchObject({
    reply: { status: 200, headers: { A: 'b' }, body: '' },
  });
});

test('keys older than a day are swept, and free before that', async () => {
  await create('k');
  await create('young');
  await api.db.write(
    'UPDATE idempotency_keys SET created_at = created_at - INTERVAL 25 HOUR WHERE tenant_id = ? AND key_hash = ?',
    [tenant.tenantId, hash('k')],
  );
  expect((await create('k', 'another body')).status).toBe(201);
  await api.db.write(
    'UPDATE idempotency_keys SET created_at = created_at - INTERVAL 25 HOUR WHERE key_hash = ?',
    [hash('k')],
  );
  expect(await sweepIdempotencyKeys(api.db)).toBeGreaterThan(0);
  const keys = await api.db.rows<{ keyHash: Buffer }>(
    'SELECT key_hash AS keyHash FROM idempotency_keys WHERE tenant_id = ?',
    [tenant.tenantId],
  );
  expect(keys).toEqual([{ keyHash: hash('young') }]);
});

test('a kept reply can be read with its key only', () => {
  const seal = createReplySeal(Buffer.alloc(32, 1));
  const sealed = seal.close('{"secret":"é"}', hash('row'));
  expect(seal.open(sealed, hash('row'))).toBe('{"secret":"é"}');
  expect(seal.open(sealed, hash('another row'))).toBe('');
  expect(createReplySeal(Buffer.alloc(32, 2)).open(sealed, hash('row'))).toBe('');
});

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** As a process leaves it that died while its handler ran. */
async function insertRunning(key: string, lockSeconds: number): Promise<void> {
  const fingerprint = hash('POST /v1/things\n{"name":"a"}');
  const store = createIdempotencyStore(api.db, createReplySeal(api.config.SECRET_KEY));
  const claim = { tenantId: tenant.tenantId as TenantId, keyHash: hash(key), fingerprint, owner: 'dead' };
  await store.claim(claim, lockSeconds);
}
