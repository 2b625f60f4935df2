import { describe, expect, it } from 'vitest';
import { smtpSecret, smtpSettings, transportLimits } from './smtp-settings.ts';

const least = { host: 'mail.example.com', port: 587, tls: 'starttls' };

describe('smtpSettings', () => {
  it('checks certificates unless told not to', () => {
    expect(smtpSettings.parse(least)).toEqual({ ...least, tlsVerify: true });
  });

  it.each(['mail.example.com', 'localhost', 'mail', '192.0.2.1', '2001:db8::1', 'xn--bcher-kva.example'])(
    'takes the host %s',
    (host) => expect(smtpSettings.safeParse({ ...least, host }).success).toBe(true),
  );

  it.each([
    '',
    ' ',
    'a b',
    'mail.example.com:25',
    '[::1]',
    'user@host',
    '-a.example',
    'http://x',
    'a..b',
    'a\nb',
    '127.1',
    '0',
  ])('refuses the host %j', (host) => expect(smtpSettings.safeParse({ ...least, host }).success).toBe(false));

  it.each([0, 65_536, 25.5, '25'])('refuses the port %j', (port) => {
    expect(smtpSettings.safeParse({ ...least, port }).success).toBe(false);
  });

  it('takes how far commands may leave together, and nothing that an older release does not know by default', () => {
    for (const pipelining of ['none', 'message', 'connection'])
      expect(smtpSettings.parse({ ...least, pipelining })).toMatchObject({ pipelining });
    expect(smtpSettings.safeParse({ ...least, pipelining: false }).success).toBe(false);
    expect(smtpSettings.parse(least)).not.toHaveProperty('pipelining');
  });

  it.each(['mail.example.com', '[192.0.2.1]', '[IPv6:2001:db8::1]'])(
    'takes the client name %s',
    (clientName) => {
      expect(smtpSettings.safeParse({ ...least, clientName }).success).toBe(true);
    },
  );

  it.each(['192.0.2.1', '[mail]', 'x\r\nRSET', '[]'])('refuses the client name %j', (clientName) => {
    expect(smtpSettings.safeParse({ ...least, clientName }).success).toBe(false);
  });

  it('refuses fields it does not know, the password above all', () => {
    for (const extra of [{ password: 'x' }, { auth: { username: 'a', password: 'x' } }, { pool: true }])
      expect(smtpSettings.safeParse({ ...least, ...extra }).success).toBe(false);
  });
});

describe('smtpSecret', () => {
  it('is a password and nothing else', () => {
    expect(smtpSecret.safeParse({ password: 'x' }).success).toBe(true);
    for (const secret of [{}, { password: '' }, { password: 'a\0b' }, { password: 'x', token: 'y' }])
      expect(smtpSecret.safeParse(secret).success).toBe(false);
  });
});

describe('transportLimits', () => {
  it('has a default for everything', () => {
    expect(transportLimits.parse({})).toMatchInlineSnapshot(`
      {
        "acceptTimeoutMs": 120000,
        "connectTimeoutMs": 10000,
        "envelopeTimeoutMs": 30000,
        "greetingTimeoutMs": 30000,
        "handshakeTimeoutMs": 30000,
        "idleTimeoutMs": 20000,
        "maxConnections": 10,
        "messagesPerConnection": 100,
      }
    `);
  });

  it.each([
    { maxConnections: 0 },
    { maxConnections: 101 },
    { messagesPerConnection: -1 },
    { perSecond: 0 },
    { pool: 1 },
  ])('refuses %j', (limits) => expect(transportLimits.safeParse(limits).success).toBe(false));
});
