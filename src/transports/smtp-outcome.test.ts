import { describe, expect, it } from 'vitest';
import { endOfAnswer, endOfLoss, endOfRefusal } from './smtp-outcome.ts';

function answer(raw: string) {
  const code = /^[2-5]\d\d(?= )/.exec(raw)?.[0] ?? 0;
  return { code: Number(code), raw };
}

describe('a lost connection', () => {
  const lost = 'the connection broke (ECONNRESET)';

  it('means as much as the body had got', () => {
    expect(endOfLoss(lost, 'unread').outcome).toMatchObject({ kind: 'untransmitted' });
    expect(endOfLoss(lost, 'reading').outcome).toMatchObject({ kind: 'deferred', class: 'transient' });
    expect(endOfLoss(lost, 'ended')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
  });

  it('in the middle of a reply: not known to which command before the body, a refusal after it', () => {
    const begun = '550 5.7.1 Sp';
    expect(endOfLoss(lost, 'unread', { begun }).outcome.kind).toBe('untransmitted');
    expect(endOfLoss(lost, 'ended', { begun })).toMatchObject({
      outcome: { kind: 'rejected' },
      after: 'drop',
    });
    expect(endOfLoss(lost, 'ended', { begun: '250 O' }).outcome.kind).toBe('unknown');
    expect(endOfLoss(lost, 'ended', { begun: '55' }).outcome.kind).toBe('unknown');
  });
});

describe('a refusal', () => {
  it.each([
    ['mail', '451 4.3.0 Later', 'reuse'],
    ['mail', '421 4.7.0 Too fast', 'drop'],
    ['rcpt', '550 5.1.1 Unknown', 'reset'],
    ['rcpt', '503 5.5.1 Sequence', 'drop'],
    ['data', '451 4.3.0 Later', 'reset'],
  ] as const)('of %s: %s', (stage, raw, after) => {
    expect(endOfRefusal({ raw, stage, progress: 'unread', rules: [] }).after).toBe(after);
  });

  it('of the sender is never held against the address', () => {
    const refusal = { raw: '550 5.1.1 Unknown', progress: 'unread', rules: [] } as const;
    expect(endOfRefusal({ ...refusal, stage: 'mail' }).outcome).toMatchObject({ class: 'message' });
    expect(endOfRefusal({ ...refusal, stage: 'rcpt' }).outcome).toMatchObject({ class: 'address' });
  });

  it('of the message ends the transaction, unless the message was still being written', () => {
    const refused = answer('552 5.3.4 Too big');
    expect(endOfAnswer(refused, 'ended')).toMatchObject({ outcome: { kind: 'rejected' }, after: 'reuse' });
    expect(endOfAnswer(refused, 'reading')).toMatchObject({ outcome: { kind: 'rejected' }, after: 'drop' });
  });

  it('is none when the reply is out of step', () => {
    const confused = answer('354 Go ahead');
    expect(endOfAnswer(confused, 'ended')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
    expect(endOfAnswer(confused, 'reading')).toMatchObject({ outcome: { kind: 'deferred' }, after: 'drop' });
  });
});

describe('an acceptance', () => {
  it.each([
    ['250 2.0.0 Ok: queued as 4XyZ12', '4XyZ12'],
    ['250 OK id=1qX9Yz-0001ab-CD', '1qX9Yz-0001ab-CD'],
    ['250 Ok 0100018c8f2d4a6e-3b1c2d4e-0000', '0100018c8f2d4a6e-3b1c2d4e-0000'],
    ['250 2.0.0 OK  1763697600 d9443c01a7336-29b2.14 - gsmtp', 'd9443c01a7336-29b2.14'],
    ['250 2.6.0 <x@example.org> Queued mail for delivery', undefined],
    ['250 OK', undefined],
  ])('%s', (raw, remoteId) => {
    const { outcome, after } = endOfAnswer(answer(raw), 'ended');
    expect(outcome.kind).toBe('accepted');
    expect('remoteId' in outcome ? outcome.remoteId : undefined).toBe(remoteId);
    expect(after).toBe('reuse');
  });

  it('of a message that had not left yet is none', () => {
    expect(endOfAnswer(answer('250 OK'), 'reading')).toMatchObject({
      outcome: { kind: 'unknown' },
      after: 'drop',
    });
    expect(endOfAnswer(answer('2 fine'), 'ended')).toMatchObject({
      outcome: { kind: 'unknown' },
      after: 'drop',
    });
  });
});
