import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { dkimRecord, importDkimKey, makeDkimKey, openDkimKey } from './dkim-key.ts';

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

test('an RSA key has 2048 bits, and its record the public half', async () => {
  const { privateKey, publicKey, algorithm } = await makeDkimKey('rsa-sha256');
  const key = openDkimKey(privateKey) as KeyObject;
  expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
  const record = dkimRecord({ domain: 'example.com', selector: 's1', algorithm, publicKey });
  expect(record).toMatchObject({ name: 's1._domainkey.example.com', type: 'TXT' });
  const shown = /^v=DKIM1; k=rsa; p=([A-Za-z0-9+/=]+)$/.exec(record.value)?.[1] as string;
  const read = createPublicKey({ key: Buffer.from(shown, 'base64'), format: 'der', type: 'spki' });
  expect(read.equals(createPublicKey(key))).toBe(true);
});

test('RFC 8463: the record of an Ed25519 key has the bare 32 octets', async () => {
  const { algorithm, publicKey } = await makeDkimKey('ed25519-sha256');
  expect(Buffer.from(publicKey, 'base64')).toHaveLength(32);
  expect(dkimRecord({ domain: 'a.example', selector: 'e', algorithm, publicKey }).value).toBe(
    `v=DKIM1; k=ed25519; p=${publicKey}`,
  );
});

test('a key comes in as PKCS #8 or PKCS #1, and is kept as PKCS #8', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const imported = importDkimKey(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
  expect(imported).toMatchObject({
    kind: 'key',
    pair: { algorithm: 'rsa-sha256', privateKey: pemOf(privateKey) },
  });
  const { privateKey: small } = generateKeyPairSync('ed25519');
  expect(importDkimKey(pemOf(small))).toMatchObject({ kind: 'key', pair: { algorithm: 'ed25519-sha256' } });
});

const encrypted = generateKeyPairSync('ed25519').privateKey.export({
  ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
});

test.each([
  ['nothing', '', /not a private key/],
  ['a word', 'secret', /not a private key/],
  [
    'a public key',
    String(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })),
    /not/,
  ],
  ['one with a passphrase', String(encrypted), /passphrase/],
  ['an RSA key of 768 bits', pemOf(generateKeyPairSync('rsa', { modulusLength: 768 }).privateKey), /1024/],
  ['an EC key', pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), /RSA or an Ed25519/],
  ['an RSA-PSS key', pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey), /RSA or/],
])('%s is refused, and told without a word of it', (_, pem, detail) => {
  const imported = importDkimKey(pem);
  expect(imported).toMatchObject({ kind: 'invalid', detail: expect.stringMatching(detail) });
  expect(Object.keys(imported)).toEqual(['kind', 'detail']);
});
