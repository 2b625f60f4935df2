import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyReply, findRule, parseRetryAfter, type Stage } from './classify-reply.ts';
import type { ReplyClass } from './contract.ts';
import { replyRules } from './reply-rules.ts';
import { parseReply } from './reply-text.ts';

describe('the rules', () => {
  it.each(replyRules.map((rule) => [rule.example, rule] as const))('%s', (example, rule) => {
    expect(findRule(parseReply(example))).toBe(rule);
  });

  it('match every 4yz and 5yz reply', () => {
    for (let code = 400; code < 600; code++) expect(findRule({ code, text: '' })).toBeDefined();
  });

  it('stay fast on hostile text', () => {
    const fragments = [
      'user ',
      'mailbox ',
      'a',
      ' ',
      'again ',
      'daily ',
      '9',
      'recipient ',
      'sender address ',
      '[TS',
    ];
    const hostile = fc.array(fc.constantFrom(...fragments), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(hostile, fc.integer({ min: 400, max: 599 }), (words, code) => {
        const started = performance.now();
        classifyReply(parseReply(`${code} ${words.join('')}`), 'rcpt');
        // A pattern that runs away takes minutes on these; a machine that stalls, not so long.
        expect(performance.now() - started).toBeLessThan(1_000);
      }),
      { numRuns: 200 },
    );
  });
});

describe('classifyReply', () => {
  type Case = [raw: string, replyClass: ReplyClass, isPermanent: boolean, retryAfterMs?: number];
  const atRecipient: Case[] = [
    ['550 5.1.1 User unknown', 'address', true],
    ['550 5.1.2 Bad destination system', 'address', true],
    ['550 5.1.3 Bad destination mailbox address syntax', 'address', true],
    ['550 5.1.4 Ambiguous', 'address', true],
    ['550 5.1.6 Mailbox has moved', 'address', true],
    ['556 5.1.10 Recipient address has null MX', 'address', true],
    ['550 5.2.1 Inactive', 'address', true],
    ['550 5.7.13 User account disabled', 'address', true],
    ['550 5.7.17 Mailbox owner has changed', 'address', true],
    ['450 4.1.1 <a@b.example>: Recipient address rejected: unverified address', 'address', false],
    ['450 <a@b.example>: User unknown in local recipient table', 'address', false] as Case,
    ['452 4.3.1 Insufficient system storage', 'transient', false],
    ['451 4.4.1 No answer from host', 'transient', false],
    ['421 4.4.2 Bad connection', 'transient', false],
    ['451 4.4.3 Directory server failure', 'transient', false],
    ['451 4.4.5 Mail system congestion', 'transient', false],
    ['552 5.2.2 Mailbox full', 'transient', false],
    ['452 4.2.2 The email account that you tried to reach is over quota.', 'transient', false],
    ['451 4.7.1 Greylisting in action, please come back in 00:04:59', 'transient', false, 299_000],
    [
      '450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, try again in 300 seconds',
      'transient',
      false,
      300_000,
    ],
    ['421 4.7.28 Our system has detected an unusual rate of email', 'throttled', false],
    [
      '450 4.2.1 The user you are trying to contact is receiving mail too quickly.',
      'transient',
      false,
      600_000,
    ],
    ['421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred', 'throttled', false, 7_200_000],
    [
      '451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.',
      'throttled',
      false,
    ],
    ['451 4.7.500 Server busy. Please try again later', 'throttled', false],
    ['550 5.7.38 Mail flood detected', 'throttled', false],
    ['454 Throttling failure: Daily message quota exceeded', 'throttled', false],
    ['421 Too many concurrent SMTP connections', 'throttled', false],
    ['421 try again in 10 minutes', 'throttled', false, 600_000],
    ['550-5.7.26 Your email has been blocked because the sender is unauthenticated.', 'policy', true],
    ['550 5.7.25 The sending IP does not have a PTR record', 'policy', true],
    ['421 4.7.23 The sending IP has no PTR record', 'policy', false],
    ['550 5.7.30 Your email has been blocked because DKIM did not pass', 'policy', true],
    ['550 5.7.509 Access denied, sending domain does not pass DMARC verification', 'policy', true],
    ['550 5.7.515 Access denied', 'policy', true],
    ['550 5.7.1 Message contains spam or virus', 'policy', true],
    ['552 5.3.4 Message too big', 'message', true],
    ['554 5.3.4 Message too big', 'message', true],
    ['555 5.5.4 Unsupported option', 'message', true],
    ['554 5.6.0 Bad MIME', 'message', true],
    ['550 5.1.7 Bad sender', 'message', true],
    ['550 5.1.8 Bad sender system', 'message', true],
    ['550 5.7.27 Sender address has null MX', 'message', true],
    ['552 5.5.3 Too many recipients', 'message', true],
    ['530 5.7.0 Authentication required', 'account', true],
    ['535 5.7.8 Username and Password not accepted', 'account', true],
    ['554 Message rejected: Email address is not verified.', 'message', true],
    ['550 nope', 'message', true],
    ['450 later', 'transient', false],
  ];

  it.each(atRecipient)('%s', (raw, replyClass, isPermanent, retryAfterMs) => {
    const expected = { class: replyClass, isPermanent };
    const verdict = classifyReply(parseReply(raw), 'rcpt');
    if (retryAfterMs === undefined) expect(verdict).toMatchObject(expected);
    else expect(verdict).toEqual({ ...expected, retryAfterMs, effect: expect.anything() });
  });

  it('never blames the recipient for what MAIL was answered', () => {
    expect(classifyReply(parseReply('550 5.1.1 unknown user'), 'mail').class).toBe('message');
    for (const stage of ['rcpt', 'data', 'message'] satisfies Stage[])
      expect(classifyReply(parseReply('550 5.1.1 unknown user'), stage).class).toBe('address');
  });
});

describe('parseRetryAfter', () => {
  it.each([
    ['Please try again in 300 seconds', 300_000],
    ['retry in 5 minutes', 300_000],
    ['Retry after 2 hours', 7_200_000],
    ['greylisted for 60s', 60_000],
    ['wait 30 sec and resend', 30_000],
    ['try again later (in about 1 hour)', 3_600_000],
    ['come back in 00:05:00', 300_000],
    ['try again in 99999 hours', 86_400_000],
  ])('%s', (text, expected) => expect(parseRetryAfter(text)).toBe(expected));

  it.each(['Try again later', 'try again in 0 seconds', 'error 300 seconds', 'retry 10 times', ''])(
    'finds none in: %s',
    (text) => expect(parseRetryAfter(text)).toBeUndefined(),
  );
});
