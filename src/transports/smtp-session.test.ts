import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { SinkOptions } from '../testing/smtp-sink/options.ts';
import type { Rule } from '../testing/smtp-sink/rule.ts';
import type { OpenFailure } from './contract.ts';
import { type HostPolicy, hostPolicy } from './host-policy.ts';
import type { OpenStep } from './open-failure.ts';
import {
  configurationFor,
  type FixtureOptions,
  messageTo,
  nothingOpen,
  openSockets,
  type SmtpFixture,
  startFixture,
} from './smtp-fixture.ts';
import { openSession } from './smtp-session.ts';
import { longestOpenMs, longestTransactionMs } from './smtp-settings.ts';
import { verifySmtp } from './verify-smtp.ts';

const limits = { connectTimeoutMs: 300, greetingTimeoutMs: 150, handshakeTimeoutMs: 150 };
const credentials = { user: 'mailer@example.org', pass: 'correct horse' };
const auth = { username: credentials.user };

let fixture: SmtpFixture;

async function start(options: FixtureOptions): Promise<void> {
  fixture = await startFixture({ limits, ...options });
}

afterEach(async () => {
  await fixture?.stop();
  await expect.poll(openSockets).toBe(0);
});

describe('a session that cannot be opened', () => {
  type Row = [
    what: string,
    options: { rule?: Rule; sink?: SinkOptions; settings?: Record<string, unknown>; password?: string },
    cause: OpenFailure['cause'],
    step: OpenStep | undefined,
  ];
  const rule = (stage: Rule['stage'], action: Rule['action']): { rule: Rule } => ({
    rule: { stage, action },
  });
  const reply = (code: number, text: string): Rule['action'] => ({ do: 'reply', code, text });
  const starttls = { settings: { tls: 'starttls', tlsVerify: false } };
  const login = { sink: { credentials }, settings: { auth }, password: credentials.pass };

  const rows: Row[] = [
    ['banner stall', rule('connect', { do: 'stall' }), 'timeout', 'greeting'],
    ['banner drip', rule('connect', { do: 'drip', everyMs: 40 }), 'timeout', 'greeting'],
    // The reset may overtake the connection's own success.
    ['RST instead of a banner', rule('connect', { do: 'reset' }), 'refused', undefined],
    ['FIN instead of a banner', rule('connect', { do: 'hangup' }), 'refused', 'greeting'],
    ['421 banner', rule('connect', reply(421, '4.7.0 Too many connections')), 'busy', 'greeting'],
    ['450 banner', rule('connect', reply(450, '4.3.2 Overloaded')), 'busy', 'greeting'],
    ['554 banner', rule('connect', reply(554, '5.7.1 Blocked, see example.org')), 'blocked', 'greeting'],
    ['garbage banner', rule('connect', { do: 'garbage' }), 'refused', 'greeting'],
    [
      'an endless banner',
      rule('connect', { do: 'raw', bytes: '220-x\r\n'.repeat(20_000) }),
      'refused',
      'greeting',
    ],
    ['EHLO stall', rule('ehlo', { do: 'stall' }), 'timeout', 'ehlo'],
    ['EHLO drip', rule('ehlo', { do: 'drip', everyMs: 20 }), 'timeout', 'ehlo'],
    ['RST at EHLO', rule('ehlo', { do: 'reset' }), 'refused', 'ehlo'],
    ['FIN at EHLO', rule('ehlo', { do: 'hangup' }), 'refused', 'ehlo'],
    ['421 to EHLO', rule('ehlo', reply(421, '4.3.2 Closing')), 'busy', 'ehlo'],
    ['EHLO and HELO refused', rule('ehlo', reply(550, '5.7.1 Go away')), 'blocked', 'ehlo'],
    ['STARTTLS not offered', { ...starttls, sink: { extensions: { startTls: false } } }, 'tls', 'tls'],
    [
      'STARTTLS refused',
      { ...starttls, ...rule('starttls', reply(454, '4.7.0 TLS not available')) },
      'tls',
      'tls',
    ],
    ['TLS handshake stall', { ...starttls, ...rule('tls', { do: 'stall' }) }, 'timeout', 'tls'],
    ['garbage for a TLS handshake', { ...starttls, ...rule('tls', { do: 'garbage' }) }, 'tls', 'tls'],
    ['FIN in the TLS handshake', { ...starttls, ...rule('tls', { do: 'hangup' }) }, 'tls', 'tls'],
    ['RST in the TLS handshake', { ...starttls, ...rule('tls', { do: 'reset' }) }, 'tls', 'tls'],
    ['unknown certificate', { settings: { tls: 'starttls' } }, 'tls', 'tls'],
    [
      'unknown certificate, implicit',
      { sink: { implicitTls: true }, settings: { tls: 'implicit' } },
      'tls',
      'tls',
    ],
    ['plain text where TLS was expected', { settings: { tls: 'implicit', tlsVerify: false } }, 'tls', 'tls'],
    ['wrong password', { ...login, password: 'wrong' }, 'auth', 'auth'],
    ['AUTH not offered', { settings: { auth }, password: 'x' }, 'auth', 'auth'],
    ['no password', { sink: { credentials }, settings: { auth } }, 'auth', 'auth'],
    ['AUTH refused for now', { ...login, ...rule('auth', reply(454, 'Throttling failure')) }, 'busy', 'auth'],
    ['421 to AUTH', { ...login, ...rule('auth', reply(421, '4.3.2 Closing')) }, 'busy', 'auth'],
    ['AUTH stall', { ...login, ...rule('auth', { do: 'stall' }) }, 'timeout', 'auth'],
    ['RST at AUTH', { ...login, ...rule('auth', { do: 'reset' }) }, 'refused', 'auth'],
    ['garbage at AUTH', { ...login, ...rule('auth', { do: 'garbage' }) }, 'auth', 'auth'],
    [
      'a password that would go in plain text',
      {
        ...login,
        sink: { credentials, extensions: { startTls: false } },
        settings: { auth, tls: 'opportunistic' },
      },
      'tls',
      'tls',
    ],
  ];

  it.each(rows)('%s', async (_, { rule, ...options }, cause, step) => {
    await start({ ...options, sink: { ...options.sink, rules: rule ? [rule] : [] } });
    const startedAt = performance.now();
    const opened = await openSession(fixture.configuration);
    expect(opened).toMatchObject({ kind: 'failed', failure: { cause }, ...(step && { step }) });
    expect(performance.now() - startedAt).toBeLessThan(longestOpenMs(fixture.configuration.limits) + 100);
    await nothingOpen(fixture.sink);
  });

  it('nobody listens', async () => {
    await start({});
    await fixture.sink.stop();
    expect(await openSession(fixture.configuration)).toMatchObject({
      kind: 'failed',
      step: 'connect',
      failure: { cause: 'refused', reply: { code: 0, text: 'no connection (ECONNREFUSED)' } },
    });
  });

  it('a host that does not answer', async () => {
    const { server, port } = await fullBacklog();
    const opened = await openSession(
      configurationFor(port, { limits: { connectTimeoutMs: 50, greetingTimeoutMs: 50 } }),
    );
    expect(opened).toMatchObject({ kind: 'failed', failure: { cause: 'timeout' } });
    server.close();
  });

  it.each([
    ['forbidden', hostPolicy({ allowPrivate: false }), 'forbidden'],
    ['unknown', hostPolicy({ allowPrivate: true, lookupAll: async () => [] }), 'refused'],
    ['looked up for ever', { vet: () => new Promise(() => {}) } satisfies HostPolicy, 'timeout'],
  ] as const)('a host that is %s', async (_, policy, cause) => {
    await start({});
    const opened = await openSession({ ...fixture.configuration, hostPolicy: policy });
    expect(opened).toMatchObject({ kind: 'failed', step: 'resolve', failure: { cause } });
    expect(fixture.sink.connections.total).toBe(0);
  });
});

describe('a session that opens', () => {
  it.each([
    ['in plain text although TLS is offered', { tls: 'none' }, {}, false],
    ['upgraded', { tls: 'starttls', tlsVerify: false }, {}, true],
    ['upgraded because it is offered', { tls: 'opportunistic', tlsVerify: false }, {}, true],
    [
      'in plain text because TLS is not offered',
      { tls: 'opportunistic' },
      { extensions: { startTls: false } },
      false,
    ],
    ['in TLS from the first byte', { tls: 'implicit', tlsVerify: false }, { implicitTls: true }, true],
  ] as const)('%s', async (_, settings, sink, isEncrypted) => {
    await start({ settings, sink });
    const opened = await openSession(fixture.configuration);
    if (opened.kind === 'failed') throw new Error(opened.failure.reply.text);
    expect(opened.session.offers).toMatchObject({ isEncrypted, smtpUtf8: true, maxSize: 52_428_800 });
    expect(opened.session.offers.lines).toContain('PIPELINING');
    opened.session.socket.destroy();
  });

  it.each(['PLAIN', 'LOGIN', undefined] as const)('authenticated by %s', async (method) => {
    await start({
      sink: { credentials, requireAuth: true },
      settings: { auth: { ...auth, ...(method && { method }) }, tls: 'starttls', tlsVerify: false },
      password: credentials.pass,
    });
    const courier = await fixture.courier();
    const [outcome] = await courier.deliver([messageTo('anna@example.org')], () => true);
    expect(outcome?.kind).toBe('accepted');
  });

  it('connects to the vetted addresses, the next when one fails, and never looks the name up again', async () => {
    await start({ settings: { host: 'mail.example.com' } });
    const lookupAll = async () => [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const opened = await openSession({
      ...fixture.configuration,
      hostPolicy: hostPolicy({ allowPrivate: true, lookupAll }),
    });
    if (opened.kind === 'failed') throw new Error(opened.failure.reply.text);
    opened.session.socket.destroy();
  });

  it('bounds a transaction', () => {
    const { limits } = configurationFor(25);
    expect(longestTransactionMs(limits)).toBe(limits.envelopeTimeoutMs + limits.acceptTimeoutMs);
  });
});

describe('verifySmtp', () => {
  it('tells what the server can do', async () => {
    await start({
      settings: { tls: 'starttls', tlsVerify: false, auth },
      sink: { credentials },
      password: credentials.pass,
    });
    const verification = await verifySmtp(fixture.configuration);
    expect(verification).toMatchObject({ ok: true, server: { isEncrypted: true, maxSize: 52_428_800 } });
    expect(verification.steps.map(({ result }) => result)).toEqual(Array(7).fill('ok'));
    await nothingOpen(fixture.sink);
  });

  it('names the step that failed and skips the rest', async () => {
    await start({ settings: { tls: 'starttls' } });
    const verification = await verifySmtp(fixture.configuration);
    expect(verification).toMatchObject({ ok: false, failure: { cause: 'tls' } });
    expect(verification.steps).toEqual([
      { step: 'resolve', result: 'ok' },
      { step: 'connect', result: 'ok' },
      { step: 'greeting', result: 'ok' },
      { step: 'ehlo', result: 'ok' },
      { step: 'tls', result: 'failed' },
      { step: 'auth', result: 'skipped' },
      { step: 'quit', result: 'skipped' },
    ]);
  });

  it.each([
    ['as it is', (password: string) => password],
    ['in base64', (password: string) => Buffer.from(password).toString('base64')],
    ['as PLAIN', (password: string) => Buffer.from(`\0${credentials.user}\0${password}`).toString('base64')],
  ])('never tells the password, even when the server repeats it %s', async (_, repeat) => {
    const password = 'Tr0ub4dor&3';
    const echo: Rule = {
      stage: 'auth',
      action: { do: 'reply', code: 535, text: `5.7.8 No: ${repeat(password)}` },
    };
    await start({ settings: { auth }, sink: { requireAuth: true, rules: [echo] }, password });
    const verification = await verifySmtp(fixture.configuration);
    expect(verification.failure).toMatchObject({ cause: 'auth', reply: { code: 535, text: 'No: [secret]' } });
    expect(JSON.stringify(verification)).not.toContain(repeat(password));
  });

  it('takes no longer than about ten seconds, whatever the limits', async () => {
    await start({
      limits: { connectTimeoutMs: 120_000, greetingTimeoutMs: 300_000, handshakeTimeoutMs: 300_000 },
    });
    fixture.setRules({ stage: 'connect', action: { do: 'stall' } });
    const startedAt = performance.now();
    expect((await verifySmtp(fixture.configuration)).ok).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });
});

/** A server that accepts and says nothing at all. */
async function fullBacklog(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}
