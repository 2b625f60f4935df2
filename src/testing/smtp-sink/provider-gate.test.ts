import { describe, expect, test } from 'vitest';
import { ProviderGate, type ProviderLimits } from './provider-gate.ts';
import { providers, refusalFor } from './providers.ts';
import { refusals } from './rule.ts';

function gateAt(time: { ms: number }, ...limits: ProviderLimits[]): ProviderGate {
  const gate = new ProviderGate({ now: () => time.ms, monotonic: () => time.ms });
  for (const one of limits) gate.limit(one);
  return gate;
}

describe('a provider', () => {
  test('is known by the domain of the recipient', () => {
    const gate = gateAt({ ms: 0 });
    const played = [
      'gmail.com',
      'aol.com',
      'msn.com',
      'me.com',
      'comcast.net',
      'web.de',
      'wanadoo.fr',
      'shop.example',
    ];
    expect(played.map((domain) => gate.providerOf(domain).name)).toEqual([
      'gmail',
      'yahoo',
      'outlook',
      'icloud',
      'comcast',
      'gmx',
      'orange',
      'generic',
    ]);
  });

  test.each(providers.map((provider) => [provider.name, provider] as const))(
    '%s has words for every refusal',
    (_, provider) => {
      for (const refusal of refusals) {
        const { code, text } = refusalFor(provider, refusal, 'x@y.example');
        expect(code).toBeGreaterThanOrEqual(400);
        expect(text).not.toContain('{');
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(504);
      }
      expect(refusalFor(provider, 'unknownUser', '').code).toBeGreaterThanOrEqual(500);
      for (const soft of ['mailboxFull', 'tryLater', 'tooFast'] as const)
        expect(provider.refusals[soft].code).toBeLessThan(500);
      expect(provider.refusals.tooManyConnections.code).toBe(421);
    },
  );

  test('takes only so many recipients a second, with its burst after a pause', () => {
    const time = { ms: 0 };
    const gate = gateAt(time, { name: 'gmail', messagesPerSecond: 10, burst: 3 });
    const tryFive = (): (string | undefined)[] => [1, 2, 3, 4, 5].map(() => gate.admit(1, 'x@gmail.com'));
    expect(tryFive()).toEqual([undefined, undefined, undefined, 'tooFast', 'tooFast']);
    time.ms += 100;
    expect(tryFive()).toEqual([undefined, 'tooFast', 'tooFast', 'tooFast', 'tooFast']);
    time.ms += 60_000;
    expect(tryFive().filter((one) => one === undefined)).toHaveLength(3);
    expect(gate.counts().gmail).toMatchObject({ attempts: 15, refusedTooFast: 8 });
  });

  test('may change its rate at any time, without a fresh burst', () => {
    const time = { ms: 0 };
    const gate = gateAt(time, { name: 'gmail', messagesPerSecond: 2 });
    for (let at = 0; at < 2; at++) gate.admit(1, 'x@gmail.com');
    gate.limit({ name: 'gmail', messagesPerSecond: 1000 });
    expect(gate.admit(1, 'x@gmail.com')).toBe('tooFast');
    gate.limit({ name: 'gmail' });
    expect(gate.admit(1, 'x@gmail.com')).toBeUndefined();
  });

  test('has room for only so many connections, each counted where it last delivered', () => {
    const gate = gateAt({ ms: 0 }, { name: 'yahoo', maxConnections: 2 });
    expect([1, 2, 3].map((connection) => gate.admit(connection, 'x@yahoo.com'))).toEqual([
      undefined,
      undefined,
      'tooManyConnections',
    ]);
    expect(gate.admit(1, 'x@gmail.com')).toBeUndefined();
    expect(gate.admit(3, 'x@aol.com')).toBeUndefined();
    gate.leave(2);
    expect(gate.counts().yahoo).toMatchObject({
      openConnections: 1,
      maxOpenConnections: 2,
      refusedTooManyConnections: 1,
    });
  });

  test('ends a connection that carried its share', () => {
    const gate = gateAt({ ms: 0 }, { name: 'icloud', messagesPerConnection: 2 });
    const admit = (connection: number): string | undefined => gate.admit(connection, 'x@icloud.com');
    expect([admit(1), admit(1), admit(1), admit(2)]).toEqual([
      undefined,
      undefined,
      'tooManyConnections',
      undefined,
    ]);
  });

  test('can be one of our own, or everybody else', () => {
    const gate = gateAt(
      { ms: 0 },
      { name: 'corner', domains: ['Shop.example'] },
      { name: 'rest', domains: ['*'], maxConnections: 0 },
    );
    expect(gate.providerOf('shop.example').name).toBe('corner');
    expect(gate.admit(1, 'x@elsewhere.example')).toBe('tooManyConnections');
    expect(gate.admit(1, 'x@shop.example')).toBeUndefined();
  });

  test('keeps what each provider saw, in tenths of a second', () => {
    const time = { ms: 1_000 };
    const gate = gateAt(time, { name: 'gmail', messagesPerSecond: 2 });
    for (let i = 0; i < 3; i++) gate.admit(1, 'x@gmail.com');
    gate.accepted('x@gmail.com');
    time.ms = 1_250;
    gate.admit(2, 'x@gmail.com');
    const quiet = { accepted: 0, tooFast: 0, tooManyConnections: 0 };
    expect(gate.series(0).gmail).toEqual([
      { ...quiet, at: 1_000, attempts: 3, accepted: 1, tooFast: 1, connections: 1 },
      { ...quiet, at: 1_200, attempts: 1, tooFast: 1, connections: 2 },
    ]);
    expect(gate.series(1_100).gmail).toHaveLength(1);
  });
});
