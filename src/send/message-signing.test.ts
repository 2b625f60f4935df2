import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DkimKey } from '../dkim/sign-message.ts';
import { createMetrics } from '../platform/metrics.ts';
import type { RenderedMessage } from '../render/message.ts';
import { silentLog } from '../testing/test-database.ts';
import { testMessages, testRun } from './fixtures.ts';
import { createMessageSigning, type SigningKeys, type SignMessages } from './message-signing.ts';
import { broken, ok, stage } from './scripted-sender.ts';
import { createSendMetrics } from './send-metrics.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const fresh = (n: number) => testRun(n, { claimedAt: 1_000 });
const mark = Buffer.from('DKIM-Signature: x\r\n');
const withMark = (message: RenderedMessage) => ({ ...message, parts: [mark, ...message.parts] });

test('what leaves is signed, once for each intent, however often it is handed over', async () => {
  const { sender, script, inState } = stage();
  const signed: number[] = [];
  script.sign = async (messages) => {
    signed.push(...messages.map(({ seq }) => seq));
    return messages.map(withMark);
  };
  const handedOver: RenderedMessage[] = [];
  script.deliver = async (_, __, message) => {
    handedOver.push(message);
    return handedOver.length === 3 ? broken : ok;
  };
  await sender.send(fresh(20));
  expect(inState('sent')).toHaveLength(20);
  expect(handedOver).toHaveLength(21);
  for (const { parts } of handedOver) expect(parts).toEqual([mark]);
  expect(signed.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, seq) => seq));
});

test('messages are signed while their intents are being committed', async () => {
  const { sender, script } = stage();
  const order: string[] = [];
  script.sign = async (messages) => {
    order.push('signing');
    return messages;
  };
  script.intended = async () => order.push('intended');
  await sender.send(fresh(1));
  expect(order).toEqual(['signing', 'intended']);
});

test('no intent is asked for, and no token taken, while a key of the domain can’t be used', async () => {
  const take = vi.fn(async (_: unknown, wanted: number) => ({ granted: wanted, waitMs: 0 }));
  const { sender, script, results } = stage({ take, perSecond: 100 });
  script.sign = 15_000;
  const run = fresh(30);
  await sender.send(run);
  expect(results).toEqual([]);
  expect(take).not.toHaveBeenCalled();
  expect([run.holdMs, run.laneHoldMs]).toEqual([15_000, 0]);
});

test('messages whose key fails to sign are retracted: nothing leaves unsigned', async () => {
  const { sender, script, results, inState } = stage();
  script.sign = async () => {
    throw new Error('no signature');
  };
  const deliver = vi.fn(async () => ok);
  script.deliver = deliver;
  const run = fresh(30);
  await sender.send(run);
  expect(deliver).not.toHaveBeenCalled();
  expect(inState('pending')).toHaveLength(results.length);
  expect(run.holdMs).toBe(15_000);
});

const { privateKey } = generateKeyPairSync('ed25519');
const key: DkimKey = { domain: 'shop.example', selector: 's1', algorithm: 'ed25519-sha256', privateKey };

function signingWith(keysOf: () => Promise<SigningKeys>) {
  const metrics = createSendMetrics(createMetrics('test'));
  const errors = vi.fn();
  const log = Object.assign(Object.create(silentLog), { error: errors });
  const clock = { now: () => 1_000_000, monotonic: () => 0 };
  return { signing: createMessageSigning({ keys: { keysOf }, clock, log, metrics }), metrics, errors };
}
const runOf = (sendingDomain: string | null) => {
  const run = fresh(0);
  return Object.assign(run, { terms: { ...run.terms, sendingDomain } });
};
const countOf = async (counter: { get(): Promise<{ values: { value: number }[] }> }) =>
  (await counter.get()).values[0]?.value;

test('each message has its own signature by the domain’s keys', async () => {
  const { signing, metrics } = signingWith(async () => [key]);
  const sign = (await signing.begin(runOf('shop.example'))) as SignMessages;
  const signed = await sign(testMessages(20));
  expect(signed.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, seq) => seq));
  expect(signed[0]?.parts.toString()).toContain('d=shop.example;\r\n s=s1; t=1000;');
  expect(await countOf(metrics.signed)).toBe(20);
});

test('without a key or a sending domain, messages stay as they are', async () => {
  const messages = testMessages(3);
  const without = signingWith(async () => []);
  for (const domain of ['shop.example', null]) {
    const sign = (await without.signing.begin(runOf(domain))) as SignMessages;
    expect(await sign(messages)).toBe(messages);
  }
});

test('keys that can’t be used or read hold the run, and that is told, but not for every grant', async () => {
  const unusable = signingWith(async () => 'unusable');
  for (let n = 0; n < 3; n++) expect(await unusable.signing.begin(runOf('shop.example'))).toBe(15_000);
  expect(unusable.errors).toHaveBeenCalledTimes(1);
  expect(await countOf(unusable.metrics.unsignable)).toBe(3);
  const unread = signingWith(async () => Promise.reject(new Error('MySQL is away')));
  expect(await unread.signing.begin(runOf('shop.example'))).toBe(1_000);
  expect(unread.errors).toHaveBeenCalledTimes(1);
});
