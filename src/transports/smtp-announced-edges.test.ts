/** A message that was announced behind the one before: every edge at which it can break, and what became of both. */
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  a,
  announceC,
  b,
  bodyOf,
  c,
  courier,
  d,
  deliver,
  envelopeOf,
  heardOfC,
  received,
  reopen,
  type Script,
  start,
  stop,
} from './announcing-fixture.ts';
import type { Outcome } from './contract.ts';
import { ReplyReader } from './reply-reader.ts';

afterEach(stop);

describe('a message that was announced', () => {
  it('asks whether it may start when it is handed over, behind the 354 and not before', async () => {
    await start(() => undefined);
    await announceC();
    const mayStart = vi.fn(() => true);
    expect(await deliver(c, undefined, mayStart)).toMatchObject({ kind: 'accepted' });
    expect(mayStart).toHaveBeenCalledTimes(1);
  });

  it('and handed over before the 354, it waits for that', async () => {
    let answer: () => void = () => {};
    await start((turn, n, socket) => {
      if (turn !== 'DATA' || n !== 2) return undefined;
      answer = () => socket.write('354 Go\r\n');
      return '';
    });
    await announceC();
    const mayStart = vi.fn(() => false);
    const outcome = deliver(c, undefined, mayStart);
    expect(mayStart).not.toHaveBeenCalled();
    await expect.poll(() => received.length).toBe(4);
    answer();
    expect(await outcome).toMatchObject({ kind: 'untransmitted' });
    expect(mayStart).toHaveBeenCalledTimes(1);
  });

  it('is not transmitted when it may not start: not a byte, and the connection ends', async () => {
    await start(() => undefined);
    await announceC();
    expect(await deliver(c, undefined, () => false)).toMatchObject({ kind: 'untransmitted' });
    expect(courier.isUsable).toBe(false);
    expect(heardOfC()).toBe('');
  });

  it('is announced no more, on no connection, once a server has not heard it', async () => {
    await start((turn, n) => (n >= 2 && turn !== 'QUIT' ? '' : undefined), {
      limits: { envelopeTimeoutMs: 200 },
    });
    await announceC();
    expect(await deliver(c)).toMatchObject({ kind: 'untransmitted' });
    await reopen();
    await deliver(a);
    const next = vi.fn(() => c);
    expect(await deliver(b, next)).toMatchObject({ kind: 'accepted' });
    expect(next).not.toHaveBeenCalled();
  });

  it('is not transmitted when another comes in its place, nor is that', async () => {
    await start(() => undefined);
    await announceC();
    expect(await deliver(d)).toMatchObject({ kind: 'untransmitted' });
    expect(courier.isUsable).toBe(false);
    expect(heardOfC()).toBe('');
  });

  it('is not transmitted when the courier is closed, which says no goodbye', async () => {
    await start(() => undefined);
    await announceC();
    await courier.close();
    expect(await deliver(c)).toMatchObject({ kind: 'untransmitted' });
    expect(heardOfC()).toBe('');
  });

  it.each([
    ['idle', { idleTimeoutMs: 20 }],
    ['its envelope is too old', { envelopeTimeoutMs: 100 }],
  ])('is not transmitted when nobody hands it over: %s', async (_, limits) => {
    await start(() => undefined, { limits });
    await announceC();
    await expect.poll(() => courier.isUsable).toBe(false);
    expect(await deliver(c)).toMatchObject({ kind: 'untransmitted' });
    expect(heardOfC()).toBe('');
  });

  it('is given up when its envelope is not answered in time', async () => {
    await start((_, n) => (n === 2 ? '' : undefined), { limits: { envelopeTimeoutMs: 100 } });
    expect(await announceC()).toMatchObject({ kind: 'accepted' });
    expect(await deliver(c)).toMatchObject({ kind: 'untransmitted' });
  });

  it.each([
    ['recipient', 'RCPT', '550 5.1.1 Unknown\r\n', { kind: 'rejected', class: 'address' }],
    ['message, before its body', 'DATA', '451 4.3.0 Later\r\n', { kind: 'deferred', class: 'transient' }],
  ])('a refused %s is its outcome, and the connection goes on', async (_, at, words, expected) => {
    await start((turn, n) => {
      if (n !== 2) return undefined;
      if (turn === at) return words;
      return turn === 'DATA' ? '503 5.5.1 No\r\n' : undefined;
    });
    expect(await announceC()).toMatchObject({ kind: 'accepted' });
    expect(await deliver(c, d)).toMatchObject(expected);
    expect(await deliver(d)).toMatchObject({ kind: 'accepted' });
    expect(heardOfC()).toBe(`RSET\r\n${envelopeOf(d)}${bodyOf(d)}`);
  });

  it('a refusal is its outcome though the server then hangs up, before it is handed over', async () => {
    await start((turn, n, socket) => {
      if (turn !== 'RCPT' || n !== 2) return undefined;
      setImmediate(() => socket.end());
      return '550 5.1.1 Unknown\r\n421 4.3.2 Bye\r\n';
    });
    await announceC();
    await expect.poll(() => courier.isUsable).toBe(false);
    expect(await deliver(c)).toMatchObject({ kind: 'rejected', class: 'address' });
  });

  it('goes on behind a message that was refused', async () => {
    await start((turn, n) => (turn === '.' && n === 1 ? '554 5.7.1 Spam\r\n' : undefined));
    expect(await announceC()).toMatchObject({ kind: 'rejected', class: 'policy' });
    expect(await deliver(c)).toMatchObject({ kind: 'accepted' });
    expect(heardOfC()).toBe(bodyOf(c));
  });

  const reset = (socket: Socket) => {
    setImmediate(() => socket.resetAndDestroy());
    return '';
  };
  it.each<[string, Script, Outcome['kind']]>([
    ['421 to the dot', (turn) => (turn === '.' ? '421 4.7.0 Too fast\r\n' : ''), 'deferred'],
    ['no sense to the dot', (turn) => (turn === '.' ? 'what?\r\n' : ''), 'unknown'],
    ['a reset in place of the 250', (turn, _, socket) => (turn === '.' ? reset(socket) : ''), 'unknown'],
    [
      'a reset between the 250 and the 354',
      (turn, _, socket) => (turn === 'DATA' ? reset(socket) : undefined),
      'accepted',
    ],
    ['a 421 to MAIL', (turn) => (turn === 'MAIL' ? '421 4.4.2 Bye\r\n' : undefined), 'accepted'],
    ['half a reply too many', (turn) => (turn === 'DATA' ? '354 Go\r\n25' : undefined), 'accepted'],
    ['a reply too many', (turn) => (turn === 'DATA' ? '354 Go\r\n250 OK\r\n' : undefined), 'accepted'],
  ])('is untransmitted behind %s', async (_, script, kind) => {
    let dots = 0;
    await start((turn, n, socket) => {
      if (turn === '.') dots++;
      return dots >= 2 ? script(turn, n, socket) : undefined;
    });
    expect(await announceC()).toMatchObject({ kind });
    expect(await deliver(c)).toMatchObject({ kind: 'untransmitted' });
    expect(courier.isUsable).toBe(false);
    expect(heardOfC()).toBe('');
  });

  it('does not begin its body where the server has begun to say more than the 354', async () => {
    let socket: Socket | undefined;
    await start((_, __, theirs) => {
      socket = theirs;
      return undefined;
    });
    await announceC();
    const read = vi.spyOn(ReplyReader.prototype, 'read');
    socket?.write('25');
    await expect.poll(() => read.mock.calls.some(([chunk]) => chunk.toString() === '25')).toBe(true);
    expect(await deliver(c)).toMatchObject({ kind: 'untransmitted' });
    expect(heardOfC()).toBe('');
  });

  it('rejects when the question for it throws, and no end of the message leaves', async () => {
    await start(() => undefined);
    await deliver(a);
    const bug = new Error('bug');
    await expect(
      deliver(b, () => {
        throw bug;
      }),
    ).rejects.toBe(bug);
    expect(courier.isUsable).toBe(false);
    expect(received.at(-1)).toBe(envelopeOf(b));
  });
});
