import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeDkimKey } from '../dkim/dkim-key.ts';
import { formatId, newId } from '../ids.ts';
import { deriveKeys } from '../keys.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { sealDkimKey } from '../sending-domains/sealed-key.ts';
import { activateSendingDomain, insertSendingDomain } from '../sending-domains/sending-domain-store.ts';
import { createSmtpSink, type SmtpSink } from '../testing/smtp-sink/sink.ts';
import type { TestApi } from '../testing/test-api.ts';
import { createShop, html, message, type Shop, startCampaignApi } from './campaign-fixture.ts';

let api: TestApi;
let shop: Shop;
let sink: SmtpSink;

beforeAll(async () => {
  sink = createSmtpSink({ keepBodies: 'all' });
  const { port } = await sink.start();
  api = await startCampaignApi();
  shop = await createShop(api, port);
});
beforeEach(() => {
  sink.setRules([]);
  sink.clearAccepted();
});
afterAll(async () => {
  await api.stop();
  await sink.stop();
});

test('every address gets the message, marked as a test, and nothing enters the ledger', async () => {
  const id = await shop.createDraft();
  const to = ['boss@example.com', 'me@example.com'];
  const reply = await shop.act(id, 'test', { to });
  expect(reply).toMatchObject({
    status: 200,
    body: { results: to.map((email) => ({ to: email, outcome: 'accepted', reply_code: 250 })) },
  });
  const accepted = sink.accepted().log;
  expect(accepted.flatMap((one) => one.to).sort()).toEqual(to);
  for (const one of accepted) {
    const text = one.bytes?.toString('latin1') ?? '';
    expect(text).toContain('Subject: [Test] Hello\r\n');
    expect(text).toMatch(/List-Unsubscribe: <http:\/\/localhost:8080\/u\/test>/);
    expect(text).toMatch(/Message-ID: <test\.[0-9a-f]{24}@example\.com>/);
  }
  expect(await api.db.rows('SELECT 1 FROM deliveries')).toEqual([]);
  expect((await shop.get(`/v1/campaigns/${id}`)).body).toMatchObject({ state: 'draft', version: 1 });
});

test('it shows a profile’s data, and goes where it was asked to', async () => {
  const id = await shop.createDraft();
  const { insertId } = await api.db.write(
    `INSERT INTO profiles (tenant_id, email, email_hash, attributes, created_at, updated_at)
     VALUES (?, 'bob@example.org', ?, '{"first_name":"Bob"}', NOW(3), NOW(3))`,
    [shop.tenantId, Buffer.alloc(16, 3)],
  );
  await shop.act(id, 'test', { to: ['me@example.com'], profile_id: formatId('profile', insertId) });
  const [accepted] = sink.accepted().log;
  expect(accepted?.to).toEqual(['me@example.com']);
  expect(accepted?.bytes?.toString().replaceAll('=\r\n', '')).toContain('Hi Bob');
});

test('suppressed addresses get none; the others do', async () => {
  const id = await shop.createDraft();
  await shop.suppress('gone@example.com');
  const { body } = await shop.act(id, 'test', { to: ['Gone@example.com', 'me@example.com'] });
  expect(body.results).toMatchObject([{ outcome: 'suppressed' }, { outcome: 'accepted' }]);
  expect((await shop.act(id, 'test', { to: ['gone@example.com'] })).body.results).toHaveLength(1);
  expect(sink.accepted().log.map((one) => one.to)).toEqual([['me@example.com']]);
});

test('each address has its own outcome, also when the connection breaks', async () => {
  const id = await shop.createDraft();
  const reply = (code: number, text: string) => ({ do: 'reply', code, text }) as const;
  sink.setRules([
    { stage: 'rcpt', when: { toAddress: 'no@example.com' }, action: reply(550, '5.1.1 no such user') },
    { stage: 'rcpt', when: { toAddress: 'later@example.com' }, action: reply(450, '4.2.0 greylisted') },
    { stage: 'rcpt', when: { toAddress: 'broken@example.com' }, action: { do: 'reset' } },
  ]);
  const to = ['no@example.com', 'later@example.com', 'broken@example.com', 'me@example.com'];
  const { status, body } = await shop.act(id, 'test', { to });
  expect(status).toBe(200);
  expect(body.results).toMatchObject([
    { to: 'no@example.com', outcome: 'rejected', reply_code: 550 },
    { to: 'later@example.com', outcome: 'deferred', reply_code: 450 },
    { to: 'broken@example.com', outcome: 'untransmitted' },
    { to: 'me@example.com', outcome: 'accepted' },
  ]);
});

test('a transport that can’t be reached is a 502 that says why', async () => {
  const settings = { host: '127.0.0.1', port: 1, tls: 'none' };
  const { body: transport } = await shop.post('/v1/transports', { name: 'Refuses', settings });
  const id = await shop.createDraft({ transport_id: transport.id });
  const reply = await shop.act(id, 'test', { to: ['me@example.com'] });
  expect(reply).toMatchObject({
    status: 502,
    body: { code: 'transport_failed', detail: expect.stringContaining('refused') },
  });
});

test('it needs a message and a transport, and no audience', async () => {
  const { body } = await shop.post('/v1/campaigns', { name: 'Bare' });
  const reply = await shop.act(body.id, 'test', { to: ['me@example.com'] });
  expect(reply.status).toBe(422);
  expect(reply.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
    '/template_id',
    '/transport_id',
    '/message/from_email',
  ]);
  const without = await shop.createDraft({ audience: {} });
  expect((await shop.act(without, 'test', { to: ['me@example.com'] })).status).toBe(200);
});

test('a message that does not render for the recipient is skipped with the reason', async () => {
  const { body } = await shop.post('/v1/templates', { name: 'T', subject: '{{ profile.none }}', html });
  const source = `${html}{% for a in (1..100000) %}{% for b in (1..100000) %}x{% endfor %}{% endfor %}`;
  const { body: endless } = await shop.post('/v1/templates', { name: 'T', subject: 'x', html: source });
  const id = await shop.createDraft({ template_id: endless.id });
  const { body: skipped } = await shop.act(id, 'test', { to: ['me@example.com'] });
  expect(skipped.results).toMatchObject([
    { outcome: 'skipped', detail: expect.stringMatching(/limit|large/) },
  ]);
  const marked = await shop.createDraft({ template_id: body.id });
  expect((await shop.act(marked, 'test', { to: ['me@example.com'] })).body.results[0].outcome).toBe(
    'accepted',
  );
});

test.each([
  ['nobody', { to: [] }, '/to'],
  ['eleven', { to: Array.from({ length: 11 }, (_, i) => `a${i}@example.com`) }, '/to'],
  ['no address', { to: ['me'] }, '/to/0'],
  ['an injection', { to: ['me@example.com\r\nRCPT TO:<x@example.com>'] }, '/to/0'],
  [
    'an unknown profile',
    { to: ['me@example.com'], profile_id: formatId('profile', newId('profile')) },
    '/profile_id',
  ],
  ['an unknown field', { to: ['me@example.com'], subject: 'x' }, '/subject'],
])('a test to %s is refused', async (_, body, pointer) => {
  const reply = await shop.act(await shop.createDraft(), 'test', body);
  expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
  expect(sink.accepted().log).toEqual([]);
});

test('neither replies nor errors show the transport’s password', async () => {
  const settings = { host: '127.0.0.1', port: sink.port, tls: 'none', auth: { username: 'shop' } };
  const secret = { password: 'correct horse battery' };
  const { body } = await shop.post('/v1/transports', { name: 'Login', settings, secret });
  const id = await shop.createDraft({ transport_id: body.id, message });
  expect((await shop.act(id, 'test', { to: ['me@example.com'] })).text).not.toContain('correct horse');
});

test('a test is signed as the campaign will be, and is not sent when the key can’t be used', async () => {
  const { privateKey, publicKey, algorithm } = await makeDkimKey('ed25519-sha256');
  const place = {
    tenantId: shop.tenantId,
    id: newId('sendingDomain'),
    domain: 'example.com',
    selector: 's1',
  };
  const box = createSecretBox(deriveKeys(api.config.SECRET_KEY).secrets);
  const sealed = sealDkimKey(box, place, privateKey);
  await insertSendingDomain(api.db, { ...place, algorithm, publicKey, privateKey: sealed });
  await activateSendingDomain(api.db, place);
  const id = await shop.createDraft();
  expect((await shop.act(id, 'test', { to: ['me@example.com'] })).status).toBe(200);
  const [accepted] = sink.accepted().log;
  expect(accepted?.bytes?.toString()).toMatch(/^DKIM-Signature: v=1; a=ed25519-sha256;[\s\S]*\r\nFrom: /);
  await api.db.write("UPDATE sending_domains SET selector = 's2' WHERE tenant_id = ?", [shop.tenantId]);
  expect((await shop.act(id, 'test', { to: ['you@example.com'] })).status).toBe(503);
  expect(sink.accepted().log).toHaveLength(1);
  await api.db.write('DELETE FROM sending_domains');
});
