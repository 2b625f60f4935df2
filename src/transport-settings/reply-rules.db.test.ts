import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { classifyReply } from '../transports/classify-reply.ts';
import { replyRules } from '../transports/reply-rules.ts';
import { parseReply } from '../transports/reply-text.ts';
import { platformReplyRuleRoutes, replyRuleRoutes } from './reply-rule-routes.ts';
import { createReplyRuleSource } from './reply-rule-source.ts';
import { mostRules } from './reply-rule-store.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
beforeAll(async () => {
  api = await startTestApi({ routes: ({ db }) => [...replyRuleRoutes(db), ...platformReplyRuleRoutes(db)] });
});
afterAll(() => api.stop());
beforeEach(async () => {
  await api.db.write('DELETE FROM reply_rules');
  [one, two] = [await api.createTenant(), await api.createTenant()];
});

const path = '/v1/reply-rules';
const platform = '/v1/platform/reply-rules';
const house = {
  name: 'House filter',
  match: { code_from: 500, code_to: 599, text: 'house filter * said no' },
  class: 'transient',
  effect: { action: 'rest', scope: 'destination', duration_seconds: 600 },
  retry_after_seconds: 900,
};
const said = '550 5.7.1 Our HOUSE FILTER politely said no';
const verdict = async (tenant: TestTenant, reply = said, more: object = {}) =>
  (await tenant.post(`${path}/test`, { reply, ...more })).body;

test('a rule is created, read, listed, changed and deleted', async () => {
  const created = await one.post(path, house);
  expect(created).toMatchObject({ status: 201, body: { ...house, position: 100, version: 1 } });
  const item = `${path}/${created.body.id}`;
  expect((await one.get(item)).body).toEqual(created.body);
  expect((await one.get(path)).body.data).toEqual([created.body]);
  const headers = { 'If-Match': '"v1"' };
  const changed = await one.patch(item, { class: 'throttled', effect: null }, { headers });
  expect(changed.body).toMatchObject({ name: house.name, class: 'throttled', effect: null, version: 2 });
  expect((await one.patch(item, { name: 'x' }, { headers })).status).toBe(412);
  expect((await one.delete(item)).status).toBe(204);
  expect((await one.delete(item)).status).toBe(404);
});

test('mistakes are told where they are', async () => {
  const pointers = async (changes: object) =>
    (await one.post(path, { ...house, ...changes })).body.errors.map(
      (error: { pointer: string }) => error.pointer,
    );
  expect(await pointers({ match: {} })).toEqual(['/match']);
  expect(await pointers({ match: { code_from: 200 } })).toEqual(['/match/code_from']);
  expect(await pointers({ match: { code_from: 500, code_to: 450 } })).toEqual(['/match/code_to']);
  expect(await pointers({ match: { enhanced: '5.7.(1|2)' } })).toEqual(['/match/enhanced']);
  expect(await pointers({ effect: { action: 'rest', scope: 'sender', duration_seconds: 9 } })).toEqual([
    '/effect/scope',
  ]);
  expect(await pointers({ effect: { action: 'rest', scope: 'destination' } })).toEqual([
    '/effect/duration_seconds',
  ]);
  expect(await pointers({ effect: { action: 'slow', scope: 'destination', duration_seconds: 9 } })).toEqual([
    '/effect/duration_seconds',
  ]);
});

test('an owner has a hundred rules and no more', async () => {
  const rows = Array.from({ length: mostRules }, (_, id) => [
    one.tenantId,
    id + 1,
    1,
    'x',
    '{"match":{},"class":"policy"}',
    new Date(),
    new Date(),
  ]);
  await api.db.write(
    'INSERT INTO reply_rules (tenant_id, id, position, name, rule, created_at, updated_at) VALUES ?',
    [rows],
  );
  expect((await one.post(path, house)).status).toBe(409);
  expect((await two.post(path, house)).status).toBe(201);
});

test('the tenant’s decide first, then the installation’s, then the shipped ones', async () => {
  expect(await verdict(one)).toMatchObject({
    rule: { origin: 'shipped', id: null },
    class: 'policy',
    is_permanent: true,
  });
  const installed = await api.admin.post(platform, {
    ...house,
    class: 'message',
    effect: null,
    retry_after_seconds: null,
  });
  expect(installed.status).toBe(201);
  expect(await verdict(one)).toMatchObject({
    rule: { origin: 'installation', id: installed.body.id },
    class: 'message',
  });
  const { body: last } = await one.post(path, { ...house, name: 'last' });
  const { body: first } = await one.post(path, { ...house, name: 'first', position: 1, class: 'throttled' });
  expect((await one.get(path)).body.data.map(({ id }: { id: string }) => id)).toEqual([first.id, last.id]);
  expect(await verdict(one)).toMatchObject({
    rule: { origin: 'own', id: first.id, name: 'first' },
    class: 'throttled',
    is_permanent: false,
    retry_after_seconds: 900,
    effect: { action: 'rest', scope: 'destination', duration_seconds: 900 },
    explanation:
      'The message is tried again in 900 s, and this was no attempt. The destination rests for 900 s.',
  });
  expect(await verdict(two)).toMatchObject({ rule: { origin: 'installation' } });
});

test('the test says what a reply does where it is said, and refuses what is no refusal', async () => {
  const reply = '421 4.7.0 [TSS04] Messages temporarily deferred';
  expect((await verdict(one, reply)).effect).toEqual({
    action: 'rest',
    scope: 'destination',
    duration_seconds: 7200,
  });
  expect((await verdict(one, reply, { destination: 'other-3' })).effect).toMatchObject({ action: 'slow' });
  expect((await one.post(`${path}/test`, { reply: '250 OK' })).status).toBe(422);
  expect((await one.post(`${path}/test`, { reply: 'hello' })).status).toBe(422);
});

test('the shipped rules are listed as they are asked', async () => {
  const { body } = await one.get(`${path}/shipped`);
  expect(body.data).toHaveLength(replyRules.length);
  expect(body.data.at(-1)).toMatchObject({ match: { code_from: 500, code_to: 599 }, class: 'message' });
});

test('tenants neither see nor change each other’s rules, nor the installation’s', async () => {
  const { body: mine } = await one.post(path, house);
  const { body: installed } = await api.admin.post(platform, house);
  const headers = { 'If-Match': '*' };
  for (const id of [mine.id, installed.id]) {
    expect((await two.get(`${path}/${id}`)).status).toBe(404);
    expect((await two.patch(`${path}/${id}`, { name: 'x' }, { headers })).status).toBe(404);
    expect((await two.delete(`${path}/${id}`)).status).toBe(404);
  }
  expect((await two.get(path)).body.data).toEqual([]);
  expect((await two.get(platform)).status).toBe(403);
  expect((await two.post(platform, house)).status).toBe(403);
  expect((await api.admin.get(platform)).body.data).toEqual([installed]);
});

test('send workers judge by them: a tenant’s transport by both, the platform’s by the installation’s alone', async () => {
  const source = createReplyRuleSource({ db: api.db, log: silentLog });
  const classOf = (owner: typeof one.tenantId | null) =>
    classifyReply(parseReply(said), 'message', source.rulesOf(owner)).class;
  await source.watch(one.tenantId);
  await source.watch(two.tenantId);
  expect(classOf(one.tenantId)).toBe('policy');
  const { body: mine } = await one.post(path, house);
  await source.refresh();
  expect([one.tenantId, two.tenantId, null].map(classOf)).toEqual(['transient', 'policy', 'policy']);
  const { body: installed } = await api.admin.post(platform, { ...house, class: 'message' });
  await source.refresh();
  expect([one.tenantId, two.tenantId, null].map(classOf)).toEqual(['transient', 'message', 'message']);
  await one.patch(`${path}/${mine.id}`, { class: 'account' }, { headers: { 'If-Match': '*' } });
  await source.refresh();
  expect(classOf(one.tenantId)).toBe('account');
  await one.delete(`${path}/${mine.id}`);
  await api.admin.delete(`${platform}/${installed.id}`);
  await source.refresh();
  expect(classOf(one.tenantId)).toBe('policy');
});

test('a running worker has a new rule within two seconds', async () => {
  const source = createReplyRuleSource({ db: api.db, log: silentLog });
  await source.watch(one.tenantId);
  await source.start();
  try {
    const started = performance.now();
    await one.post(path, house);
    await expect.poll(() => source.rulesOf(one.tenantId).length, { timeout: 5_000, interval: 20 }).toBe(1);
    expect(performance.now() - started).toBeLessThan(2_000);
  } finally {
    await source.stop();
  }
});
