import { expect, test } from 'vitest';
import { parseClusterUrl } from './redis-address.ts';

test('nodes of a cluster, each with its port or the usual one', () => {
  expect(parseClusterUrl('redis+cluster://one:7001,two,[::1]:7003/')).toMatchObject({
    isTls: false,
    nodes: [
      { host: 'one', port: 7001 },
      { host: 'two', port: 6379 },
      { host: '::1', port: 7003 },
    ],
  });
});

test('login and TLS', () => {
  expect(parseClusterUrl('rediss+cluster://:p%40ss:word@one:7001/0')).toEqual({
    ...{ nodes: [{ host: 'one', port: 7001 }], isTls: true },
    ...{ username: undefined, password: 'p@ss:word' },
  });
  expect(parseClusterUrl('redis+cluster://sluice:word@one')).toMatchObject({ username: 'sluice' });
});

test.each([
  'redis://one:6379',
  'redis+cluster://',
  'redis+cluster://one,',
  'redis+cluster://one:port',
  'redis+cluster://one/3',
])('%s is none', (text) => {
  expect(parseClusterUrl(text)).toBeUndefined();
});
