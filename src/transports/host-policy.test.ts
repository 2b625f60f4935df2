import { describe, expect, it } from 'vitest';
import { hostPolicy, mayConnect } from './host-policy.ts';

const forbiddenAlways = [
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '100.100.100.200',
  '192.0.0.192',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  'fe80::1',
  'fd00:ec2::254',
  'ff02::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::ffff:0.0.0.0',
];

const privateOnes = [
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.9',
  '240.0.0.1',
  '::1',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2001:0:7f00:1::',
  '2001:db8::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.1.2.3',
  '0:0:0:0:0:ffff:c0a8:0101',
];

const publicOnes = ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'];

describe('mayConnect', () => {
  it.each(forbiddenAlways)('never to %s', (address) => {
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(false);
  });

  it.each(privateOnes)('to %s where private addresses are allowed', (address) => {
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(true);
  });

  it.each(publicOnes)('to %s', (address) => expect(mayConnect(address, false)).toBe(true));

  it.each(['', 'localhost', '1.2.3', '127.0.0.1:25', '::1%eth0x y'])(
    'not to what is no address: %s',
    (text) => expect(mayConnect(text, true)).toBe(false),
  );
});

describe('hostPolicy', () => {
  const at = (...addresses: string[]) =>
    hostPolicy({
      allowPrivate: false,
      lookupAll: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    });

  it('answers the addresses that may be connected to', async () => {
    expect(await at('8.8.8.8', '2606:4700::1111').vet('mail.example.com')).toEqual({
      kind: 'allowed',
      addresses: [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
    });
  });

  it('refuses a name of which any address is forbidden', async () => {
    expect(await at('8.8.8.8', '127.0.0.1').vet('mail.example.com')).toMatchObject({ kind: 'forbidden' });
  });

  it.each(['127.0.0.1', '127.1', '2130706433', '0x7f000001', '::1', 'localhost'])(
    'refuses %s',
    async (host) => {
      expect(await hostPolicy({ allowPrivate: false }).vet(host)).toMatchObject({ kind: 'forbidden' });
    },
  );

  it('says what could not be looked up', async () => {
    expect(await at().vet('mail.example.com')).toMatchObject({ kind: 'unknown' });
    const failing = hostPolicy({
      allowPrivate: false,
      lookupAll: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    });
    expect(await failing.vet('nowhere.example')).toEqual({
      kind: 'unknown',
      text: "nowhere.example can't be looked up (ENOTFOUND)",
    });
  });
});
