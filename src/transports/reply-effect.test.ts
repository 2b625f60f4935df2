import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyReply, type Stage } from './classify-reply.ts';
import type { ReplyEffect } from './contract.ts';
import { effectAt, longestEffectMs, shortestEffectMs } from './reply-effect.ts';
import { replyRules } from './reply-rules.ts';
import { parseReply } from './reply-text.ts';

const minuteMs = 60_000;
const effectOfReply = (raw: string, stage: Stage = 'rcpt') => classifyReply(parseReply(raw), stage).effect;

type Case = [raw: string, action: ReplyEffect['action'], scope: ReplyEffect['scope'], durationMs?: number];
const cases: Case[] = [
  ['550 5.1.1 User unknown', 'none', 'recipient'],
  ['452 4.2.2 Mailbox full', 'none', 'recipient'],
  ['450 4.2.1 The user you are trying to contact is receiving mail too quickly.', 'none', 'recipient'],
  ['451 4.7.1 Greylisted, try again in 300 seconds', 'none', 'recipient'],
  ['451 4.7.1 Recipient a@b.example has received too many messages', 'none', 'recipient'],
  ['432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded', 'none', 'recipient'],
  ['552 5.3.4 Message too big', 'none', 'recipient'],
  ['421 4.7.0 Try again later, closing connection.', 'slow', 'destination'],
  ['421 4.7.28 unusual rate of unsolicited mail originating from your IP address', 'slow', 'destination'],
  [
    '421 4.7.28 unusual rate of unsolicited mail originating from your SPF domain',
    'pause_sender',
    'sender',
    15 * minuteMs,
  ],
  ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred', 'rest', 'destination', 120 * minuteMs],
  ['421 too many connections, try again in 10 minutes', 'rest', 'destination', 10 * minuteMs],
  ['421 4.7.0 [TSS04] deferred, retry in 30 minutes', 'rest', 'destination', 30 * minuteMs],
  ['421 try again in 99999 hours', 'rest', 'destination', longestEffectMs],
  ['535 5.7.8 Credentials invalid', 'rest', 'transport', 5 * minuteMs],
  ['454 Throttling failure: Daily message quota exceeded.', 'rest', 'transport', 10 * minuteMs],
  ['550-5.7.26 Unauthenticated email is not accepted', 'pause_sender', 'sender', 60 * minuteMs],
  ['421 4.7.23 The sending IP has no PTR record', 'pause_sender', 'sender', 60 * minuteMs],
  ['550 5.7.515 Access denied', 'pause_sender', 'sender', 60 * minuteMs],
];

describe('the effect', () => {
  it.each(cases)('of %s', (raw, action, scope, durationMs) => {
    expect(effectOfReply(raw)).toMatchObject({ action, scope, ...(durationMs && { durationMs }) });
  });

  it('of a refusal that is about its own recipient or message touches nobody else', () => {
    const own = ['address', 'transient', 'message'];
    const replies = fc.constantFrom(...replyRules.map((rule) => rule.example));
    const words = fc.constantFrom('', ' try again in 2 hours', ' user unknown', ' too many connections');
    fc.assert(
      fc.property(replies, words, fc.constantFrom<Stage>('mail', 'rcpt', 'message'), (raw, more, stage) => {
        const verdict = classifyReply(parseReply(raw + more), stage);
        if (own.includes(verdict.class))
          expect(verdict.effect).toEqual({ action: 'none', scope: 'recipient' });
      }),
    );
  });

  it.each(replyRules.map((rule) => rule.example))('ends: %s', (example) => {
    const { action, durationMs } = effectOfReply(example);
    if (action === 'rest' || action === 'pause_sender') {
      expect(durationMs).toBeGreaterThanOrEqual(shortestEffectMs);
      expect(durationMs).toBeLessThanOrEqual(longestEffectMs);
    } else expect(durationMs).toBeUndefined();
  });
});

describe('at a bucket of the tail', () => {
  const rest: ReplyEffect = { action: 'rest', scope: 'destination', durationMs: 7_200_000 };
  const pause: ReplyEffect = { action: 'pause_sender', scope: 'sender', durationMs: 3_600_000 };

  it('no single server closes it for the thousands that share it', () => {
    expect(effectAt('other-3', rest)).toEqual({ action: 'slow', scope: 'destination' });
    expect(effectAt('other-3', { ...rest, scope: 'transport' })).toMatchObject({ action: 'rest' });
  });

  it('elsewhere it does what it says', () => {
    for (const name of ['gmail', 'all']) {
      expect(effectAt(name, rest)).toBe(rest);
      expect(effectAt(name, pause)).toBe(pause);
    }
  });
});
