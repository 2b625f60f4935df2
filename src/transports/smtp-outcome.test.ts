import { describe, expect, it } from 'vitest';
import type { SmtpError } from './smtp-error.ts';
import { endOfAnswer, endOfFailure, endOfLoss } from './smtp-outcome.ts';

function smtpError(fields: Partial<SmtpError>): SmtpError {
  return Object.assign(new Error('Connection closed unexpectedly'), fields);
}

describe('a lost connection', () => {
  const lost = smtpError({ code: 'ESOCKET', originalCode: 'ECONNRESET', command: 'CONN' });

  it('means as much as the body had got', () => {
    expect(endOfFailure(lost, 'unread').outcome).toMatchObject({ kind: 'untransmitted' });
    expect(endOfFailure(lost, 'reading').outcome).toMatchObject({ kind: 'deferred', class: 'transient' });
    expect(endOfFailure(lost, 'ended').outcome).toMatchObject({ kind: 'unknown' });
    expect(endOfFailure(undefined, 'ended')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
    expect(endOfLoss('late', 'ended')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
  });

  it('keeps the refusal that came before it, and does not hold it against the address', () => {
    const replies = ['250 2.1.0 OK', '550 5.1.1 Unknown', '554 5.5.1 No valid recipients'];
    expect(endOfFailure(lost, 'unread', { replies })).toMatchObject({
      outcome: { kind: 'rejected', class: 'message', reply: { code: 550 } },
      after: 'drop',
    });
    expect(endOfFailure(lost, 'ended', { replies: ['354 Go ahead'] }).outcome.kind).toBe('unknown');
  });

  it('in the middle of a reply: not known to which command before the body, a refusal after it', () => {
    const cut = smtpError({
      code: 'ECONNECTION',
      command: 'CONN',
      response: '550 5.7.1 Sp',
      responseCode: 550,
    });
    expect(endOfFailure(cut, 'unread').outcome.kind).toBe('untransmitted');
    expect(endOfFailure(cut, 'ended').outcome.kind).toBe('rejected');
  });
});

describe('a refusal', () => {
  it.each([
    ['MAIL FROM', '451 4.3.0 Later', 'reuse'],
    ['MAIL FROM', '421 4.7.0 Too fast', 'drop'],
    ['RCPT TO', '550 5.1.1 Unknown', 'reset'],
    ['RCPT TO', '503 5.5.1 Sequence', 'drop'],
    ['DATA', '451 4.3.0 Later', 'reset'],
  ] as const)('of %s: %s', (command, response, after) => {
    expect(endOfFailure(smtpError({ code: 'EENVELOPE', command, response }), 'unread').after).toBe(after);
  });

  it('of the message ends the transaction, unless the message was still being written', () => {
    const refused = smtpError({ code: 'EMESSAGE', command: 'DATA', response: '552 5.3.4 Too big' });
    expect(endOfFailure(refused, 'ended')).toMatchObject({ outcome: { kind: 'rejected' }, after: 'reuse' });
    expect(endOfFailure(refused, 'reading')).toMatchObject({ outcome: { kind: 'rejected' }, after: 'drop' });
  });

  it('is none when the reply is out of step', () => {
    const confused = smtpError({ code: 'EMESSAGE', command: 'DATA', response: '354 Go ahead' });
    expect(endOfFailure(confused, 'ended')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
    const unasked = smtpError({ code: 'EPROTOCOL', command: 'CONN', response: '550 What?' });
    expect(endOfFailure(unasked, 'unread').outcome.kind).toBe('untransmitted');
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
    const { outcome, after } = endOfAnswer(raw, 'ended');
    expect(outcome.kind).toBe('accepted');
    expect('remoteId' in outcome ? outcome.remoteId : undefined).toBe(remoteId);
    expect(after).toBe('reuse');
  });

  it('of a message that had not left yet is none', () => {
    expect(endOfAnswer('250 OK', 'reading')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
    expect(endOfAnswer('2 fine', 'ended')).toMatchObject({ outcome: { kind: 'unknown' }, after: 'drop' });
  });
});
