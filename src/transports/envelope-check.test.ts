import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refuseEnvelope } from './envelope-check.ts';

const offers = { smtpUtf8: true, maxSize: 0 };
const envelope = { to: 'anna@example.org', returnPath: 'b.123@bounce.example', needsSmtpUtf8: false };

describe('refuseEnvelope', () => {
  it('lets what can be sent pass, the null return path too', () => {
    expect(refuseEnvelope(envelope, 1e9, offers)).toBeUndefined();
    expect(refuseEnvelope({ ...envelope, returnPath: '' }, 10, { ...offers, maxSize: 10 })).toBeUndefined();
    expect(refuseEnvelope({ ...envelope, to: 'jürgen@example.org' }, 10, offers)).toBeUndefined();
  });

  it('never lets a line end, a space or an angle bracket into a command', () => {
    const evil = fc
      .tuple(
        fc.string(),
        fc.constantFrom('\r', '\n', '\0', ' ', '\t', '<', '>', '\u2028', '\u0085'),
        fc.string(),
      )
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(evil, (text) => {
        expect(refuseEnvelope({ ...envelope, to: text }, 1, offers)).toMatchObject({ class: 'address' });
        expect(refuseEnvelope({ ...envelope, returnPath: text }, 1, offers)).toMatchObject({
          class: 'message',
        });
      }),
    );
  });

  it('does not blame an address for a server without SMTPUTF8', () => {
    const ascii = { ...offers, smtpUtf8: false };
    for (const message of [
      { ...envelope, needsSmtpUtf8: true },
      { ...envelope, to: 'jürgen@example.org' },
    ])
      expect(refuseEnvelope(message, 1, ascii)).toMatchObject({ kind: 'rejected', class: 'message' });
  });

  it('refuses what is over the announced size', () => {
    expect(refuseEnvelope(envelope, 11, { ...offers, maxSize: 10 })).toMatchObject({
      class: 'message',
      reply: { enhanced: '5.3.4', text: '11 octets, the server takes at most 10' },
    });
  });
});
