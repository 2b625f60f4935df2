/** A message whose envelope leaves behind the end of the one before (RFC 2920 §3.1): what goes over the wire, and when. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  a,
  b,
  bodyOf,
  c,
  courier,
  d,
  deliver,
  envelopeOf,
  received,
  type Script,
  type Setup,
  sayAtOnce,
  sayByteByByte,
  start,
  stop,
} from './announcing-fixture.ts';
import { messageTo } from './smtp-fixture.ts';

afterEach(stop);

describe('on the wire', () => {
  it('is one write a message, of the end of one and the envelope of the next', async () => {
    await start(() => undefined);
    for (const [message, next] of [[a, b], [b, c], [c, d], [d]] as const)
      expect(await deliver(message, next)).toMatchObject({ kind: 'accepted' });
    expect(received).toEqual([
      envelopeOf(a),
      bodyOf(a),
      envelopeOf(b),
      bodyOf(b) + envelopeOf(c),
      bodyOf(c) + envelopeOf(d),
      bodyOf(d),
    ]);
    await courier.close();
    expect(received.at(-1)).toBe('QUIT\r\n');
  });

  it.each([
    ['byte by byte', sayByteByByte],
    ['of both messages in one chunk', sayAtOnce],
  ])('the replies may come %s', async (_, say) => {
    await start(() => undefined, { say });
    for (const [message, next] of [[a, b], [b, c], [c, d], [d]] as const)
      expect(await deliver(message, next)).toMatchObject({ kind: 'accepted', reply: { text: 'Taken' } });
    expect(received.join('')).toBe([a, b, c, d].map((one) => envelopeOf(one) + bodyOf(one)).join(''));
  });
});

describe('is not announced', () => {
  const slow: Script = (turn) => {
    if (turn !== '.') return undefined;
    vi.spyOn(performance, 'now').mockReturnValue(1_251);
    return undefined;
  };
  it.each<[string, Script, Setup]>([
    ['to a server that does not offer PIPELINING', () => undefined, { ehlo: '250 odd.example\r\n' }],
    ['to a server that answers slowly', slow, {}],
    ['on a connection that has no room for it', () => undefined, { limits: { messagesPerConnection: 2 } }],
    ['where the transport has it so', () => undefined, { settings: { pipelining: 'message' } }],
    ['where the transport has no pipelining', () => undefined, { settings: { pipelining: 'none' } }],
  ])('%s', async (_, script, setup) => {
    await start(script, setup);
    const next = vi.fn(() => c);
    await deliver(a, next);
    expect(await deliver(b, next)).toMatchObject({ kind: 'accepted' });
    expect(next).not.toHaveBeenCalled();
    expect(received.join('').endsWith(bodyOf(b))).toBe(true);
  });

  it('says one thing at a time where the transport has no pipelining', async () => {
    await start(() => undefined, { settings: { pipelining: 'none' } });
    await deliver(a);
    expect(received).toEqual([...envelopeOf(a).match(/.*\r\n/g)!, bodyOf(a)]);
  });

  it('before the server has answered one, nor where there is none, nor where it would be refused', async () => {
    await start(() => undefined);
    const unasked = vi.fn(() => b);
    await deliver(a, unasked);
    expect(unasked).not.toHaveBeenCalled();
    await deliver(b, () => undefined);
    expect(await deliver(c, messageTo('d@example.org>\r\nRSET'))).toMatchObject({ kind: 'accepted' });
    expect(await deliver(d, { ...a, rendered: { ...a.rendered, parts: [7] } })).toMatchObject({
      kind: 'accepted',
    });
    expect(await deliver(messageTo('d@example.org>\r\nRSET'))).toMatchObject({ kind: 'rejected' });
    expect(received.join('')).toBe([a, b, c, d].map((one) => envelopeOf(one) + bodyOf(one)).join(''));
  });
});
