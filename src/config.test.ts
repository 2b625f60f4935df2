import { expect, test } from 'vitest';
import { parseConfig } from './config.ts';

const key = Buffer.alloc(32).toString('base64');
const least = {
  DATABASE_URL: 'mysql://u:p@localhost/sluice',
  REDIS_URL: 'redis://localhost',
  SECRET_KEY: key,
};

test('what must be given is enough; everything else has a default', () => {
  const result = parseConfig(least);
  if (result.kind === 'invalid') throw new Error(result.errors.join('\n'));
  expect(result.config).toMatchObject({
    ...{ LOG_LEVEL: 'info', ALLOW_PRIVATE_TRANSPORTS: false, DISPATCH_WINDOW_MESSAGES: 6_000 },
    ...{ LEASE_MS: 30_000, SECRET_KEY: Buffer.alloc(32), PUBLIC_URL: 'http://localhost:8080' },
  });
});

test('all mistakes are told at once, each with its name', () => {
  const result = parseConfig({
    ...{ DATABASE_URL: 'postgres://localhost', SECRET_KEY: 'short', LOG_LEVEL: 'loud' },
    ...{ HTTP_PORT: '70000', DATABASE_CONNECTIONS: 'many', ALLOW_PRIVATE_TRANSPORTS: 'yes' },
  });
  const errors = result.kind === 'invalid' ? result.errors : [];
  const names = errors.map((error) => error.split(':')[0]);
  expect(names.sort()).toEqual([
    ...['ALLOW_PRIVATE_TRANSPORTS', 'DATABASE_CONNECTIONS', 'DATABASE_URL', 'HTTP_PORT'],
    ...['LOG_LEVEL', 'REDIS_URL', 'SECRET_KEY'],
  ]);
  expect(errors.find((error) => error.startsWith('SECRET_KEY'))).toContain('32 random bytes');
});

test('empty variables count as absent, foreign ones are passed over', () => {
  const result = parseConfig({ ...least, LOG_LEVEL: '', PATH: '/bin', SLUICE_UNKNOWN: 'x' });
  expect(result).toMatchObject({ kind: 'valid', config: { LOG_LEVEL: 'info' } });
});

test.each([
  ['redis://localhost', true],
  ['rediss://:word@host:6380/0', true],
  ['redis+cluster://host:7000,host2:7001', true],
  ['rediss+cluster://:word@host', true],
  ['redis+cluster://host:7000,', false],
  ['http://host', false],
])('REDIS_URL=%s is taken: %s', (text, isTaken) => {
  expect(parseConfig({ ...least, REDIS_URL: text }).kind === 'invalid').toBe(!isTaken);
});

test('shards: one, of which all is read; a list reads others', () => {
  expect(parseConfig(least)).toMatchObject({ config: { QUEUE_SHARDS: 1, QUEUE_SHARDS_READ: 'all' } });
  const listed = parseConfig({ ...least, QUEUE_SHARDS: '4', QUEUE_SHARDS_READ: '0-2,7' });
  expect(listed).toMatchObject({ config: { QUEUE_SHARDS: 4, QUEUE_SHARDS_READ: [0, 1, 2, 7] } });
  expect(parseConfig({ ...least, QUEUE_SHARDS: '28' }).kind).toBe('invalid');
  expect(parseConfig({ ...least, QUEUE_SHARDS_READ: '1-' }).kind).toBe('invalid');
});

test('a public URL loses its trailing slashes; numbers are whole and within bounds', () => {
  expect(parseConfig({ ...least, PUBLIC_URL: 'https://mail.example.com//' })).toMatchObject({
    config: { PUBLIC_URL: 'https://mail.example.com' },
  });
  for (const value of ['0', '-1', '1.5', '1e9', 'x'])
    expect(parseConfig({ ...least, SEND_CONCURRENCY: value }).kind, value).toBe('invalid');
});

test.each([
  ['off', true],
  ['system', true],
  ['192.0.2.53:53', true],
  ['[2001:db8::53]:53', true],
  ['192.0.2.53', false],
  ['dns.example:53', false],
  ['192.0.2.53:70000', false],
])('DNS_RESOLVER=%s is taken: %s', (text, isTaken) => {
  expect(parseConfig({ ...least, DNS_RESOLVER: text }).kind === 'invalid').toBe(!isTaken);
});
