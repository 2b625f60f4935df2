/** Signatures as another program sees them: mailauth verifies each. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { expect, test } from 'vitest';
import { compileMjml } from '../render/mjml.ts';
import { compileSample, renderSample, sampleRecipient } from '../render/sample-message.ts';
import { messageBuffers, messageSize } from '../render/splice.ts';
import { addSignature } from './add-signature.ts';
import { type DkimKeyPair, dkimRecord, importDkimKey } from './dkim-key.ts';
import { type DkimAlgorithm, type DkimKey, signMessage } from './sign-message.ts';

const domain = 'mail.example.com';
const atMs = Date.UTC(2026, 10, 21, 9);
const pairOf = (type: 'rsa' | 'ed25519'): DkimKeyPair => {
  const { privateKey } =
    type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  const imported = importDkimKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  if (imported.kind === 'invalid') throw new Error(imported.detail);
  return imported.pair;
};
const pairs = { 'rsa-sha256': pairOf('rsa'), 'ed25519-sha256': pairOf('ed25519') };
const keyOf = (algorithm: DkimAlgorithm): DkimKey => ({
  ...{ domain, selector: algorithm.slice(0, 3), algorithm },
  privateKey: createPrivateKey(pairs[algorithm].privateKey),
});
const both = [keyOf('rsa-sha256'), keyOf('ed25519-sha256')];

/** The DNS as the API tells people to fill it. */
async function resolver(name: string, type: string): Promise<string[][]> {
  const records = both.map((key) => dkimRecord({ ...key, publicKey: pairs[key.algorithm].publicKey }));
  const record = records.find((one) => one.name === name && one.type === type);
  if (!record) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  return [[record.value]];
}

/** What mailauth says of each signature of the message. */
async function verdictsOf(signed: Buffer): Promise<string[]> {
  const { results } = await dkimVerify(signed, { resolver });
  return results.map(({ status }) => status.result);
}

const signed = async (message: readonly Buffer[], keys = both) =>
  Buffer.concat([await signMessage(message, keys, atMs), ...message]);
const head =
  'From: Shop <shop@mail.example.com>\r\nTo: ada@example.org\r\nSubject: Hello\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n';
const passes = async (text: string) =>
  expect(await verdictsOf(await signed([Buffer.from(text)])), JSON.stringify(text)).toEqual(['pass', 'pass']);

test.each([
  ['no body', `${head}\r\n`],
  ['an empty body of many lines', `${head}\r\n\r\n\r\n\r\n`],
  ['a last line without an end', `${head}\r\nHello`],
  ['one line end', `${head}\r\nHello\r\n`],
  ['empty lines at the end', `${head}\r\nHello\r\n\r\n\r\n\r\n`],
  ['a last line of spaces', `${head}\r\nHello\r\n  \r\n\r\n`],
  ['empty lines at the beginning', `${head}\r\n\r\n\r\nHello\r\n`],
  ['lines that begin with a dot', `${head}\r\n.\r\n..\r\n.hidden\r\nHello .\r\n.\r\n`],
  ['UTF-8 in the body', `${head}\r\nGrüße aus Köln à\r\n`],
  ['UTF-8 in header fields', `${head}Reply-To: é@mail.example.com\r\nCc: voilé\r\n\r\nx\r\n`],
  [
    'folded fields, tabs and runs of spaces',
    `${head}List-Unsubscribe:\r\n\t<https://a.example/u>,\r\n  <mailto:x@a.example> \t \r\n\r\nx\r\n`,
  ],
  ['an empty field', `${head}Reply-To:\r\nCc: \r\n\r\nx\r\n`],
  ['odd case and spaces around the colon', `fRoM :a@mail.example.com\r\nSUBJECT \t:  x  y \r\n\r\nx\r\n`],
  ['a field that is there twice', `${head}To: second@example.org\r\nTo: third@example.org\r\n\r\nx\r\n`],
])('mailauth verifies: %s', (_, text) => passes(text));

test('where a message is cut into buffers makes no difference', async () => {
  const text = Buffer.from(`${head}\r\nHello\r\n.dot\r\n\r\n\r\n`);
  const [key] = both as [DkimKey];
  const whole = await signMessage([text], [key], atMs);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
      const at = [0, ...cuts, text.length].sort((a, b) => a - b);
      const parts = at.slice(1).map((end, i) => text.subarray(at[i], end));
      expect((await signMessage(parts, [key], atMs)).equals(whole)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('what a reader sees or a mailbox acts upon is signed, From once more than it is there', async () => {
  const template = compileSample({ html: '<p>Hello</p>', replyTo: 'help@mail.example.com' });
  const message = messageBuffers(template.message, renderSample(template));
  const text = (await signed(message)).toString('latin1');
  const tags = Object.fromEntries(
    (text.split('\r\nDKIM-Signature')[0] as string)
      .replace(/^DKIM-Signature: /, '')
      .replace(/\r\n\s+/g, '')
      .split(/; ?/)
      .map((tag) => tag.split(/=(.*)/s) as [string, string]),
  );
  expect(tags).toMatchObject({ v: '1', a: 'rsa-sha256', c: 'relaxed/simple', d: domain, s: 'rsa' });
  expect(tags.t).toBe(String(atMs / 1000));
  expect(tags.h?.split(':')).toEqual([
    ...['from', 'from', 'reply-to', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type'],
    ...['list-id', 'list-unsubscribe', 'list-unsubscribe-post', 'feedback-id'],
  ]);
  const lines = text.split('\r\n');
  expect(Math.max(...lines.slice(0, 14).map((line) => line.length))).toBeLessThanOrEqual(78);
});

test.each([
  ['its subject', 'Subject: Hello', 'Subject: Hullo'],
  ['another From', 'To: ', 'From: evil@example.net\r\nTo: '],
  ['its one-click field', 'One-Click', 'One-Clack'],
  ['an octet of its body', '<p>Hello', '<p>Hullo'],
  ['a white space in its body', '<p>Hello', '<p> Hello'],
])('a message that was changed in %s does not verify', async (_, before, after) => {
  const template = compileSample({ html: '<p>Hello</p>' });
  const text = (await signed(messageBuffers(template.message, renderSample(template)))).toString('latin1');
  expect(text).toContain(before);
  const verdicts = await verdictsOf(Buffer.from(text.replace(before, after), 'latin1'));
  expect(verdicts).toHaveLength(2);
  expect(verdicts).not.toContain('pass');
});

test('a refolded header still verifies, as relays like to do that', async () => {
  const message = Buffer.from(`${head}\r\nHello\r\n`);
  const text = (await signed([message])).toString('latin1');
  const refolded = text.replace('From: Shop <', 'FROM:\r\n  Shop\t <').replaceAll('\r\n h=', '\r\n\t h=');
  expect(await verdictsOf(Buffer.from(refolded, 'latin1'))).toEqual(['pass', 'pass']);
});

test('a signed message is the message with a field in front, and its size counts it', async () => {
  const template = compileSample({ html: '<p>Hello {{ profile.first_name }}</p>' });
  const plain = renderSample(template, { attributes: { first_name: 'Zoë & Söhne' } });
  const rendered = await addSignature(template.message, plain, { keys: both, atMs });
  const bytes = Buffer.concat(messageBuffers(template.message, rendered));
  const unsigned = Buffer.concat(messageBuffers(template.message, plain));
  expect(bytes.subarray(-unsigned.length).equals(unsigned)).toBe(true);
  expect(messageSize(template.message, rendered)).toBe(bytes.length);
  expect(bytes.toString('latin1')).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256;/);
  expect(await verdictsOf(bytes)).toEqual(['pass', 'pass']);
  expect(await addSignature(template.message, plain, { keys: [], atMs })).toBe(plain);
});

test('any recipient’s message verifies', async () => {
  const template = compileSample({
    subject: '{{ profile.a | url_encode }} {{ profile.b | size }} Ü',
    html: '.{{ profile.a }}\n.\n{{ profile.b }}\n\n\n',
    text: '.{{ profile.a }}\n\n\n',
  });
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '.', '..\n.', 'à\n\n\n', '\r\n'));
  await fc.assert(
    fc.asyncProperty(value, value, async (a, b) => {
      const rendered = renderSample(template, { ...sampleRecipient, attributes: { a, b } });
      expect(await verdictsOf(await signed(messageBuffers(template.message, rendered)))).toEqual([
        'pass',
        'pass',
      ]);
    }),
    { numRuns: 40 },
  );
}, 30_000);

const gallery = new URL('../../../shared/data/mjml/', import.meta.url);

// MJML's own templates, which are not part of this repository: see reference.test.ts.
if (existsSync(gallery)) {
  test.each(readdirSync(gallery).filter((name) => name.endsWith('.mjml')))(
    '%s verifies',
    async (name) => {
      const mjml = await compileMjml(readFileSync(new URL(name, gallery), 'utf8'));
      if (mjml.kind === 'invalid') throw new Error(JSON.stringify(mjml.errors));
      const html = mjml.html.replace(/<td[^>]*>/g, '$&{{ profile.first_name }} {{ unsubscribe_url }}');
      const template = compileSample({ subject: 'Für {{ profile.first_name }}', html });
      const rendered = renderSample(template, { attributes: { first_name: 'Zoë & Söhne' } });
      expect(await verdictsOf(await signed(messageBuffers(template.message, rendered)))).toEqual([
        'pass',
        'pass',
      ]);
    },
    30_000,
  );
}
