/**
 * DKIM signatures (RFC 6376; RFC 8301: rsa-sha256; RFC 8463: ed25519-sha256) of a message in its wire form.
 *
 * The body is hashed where it lies; the signature itself, nine tenths of the work, is computed by libuv's threads (ADR 13). c=relaxed/simple:
 * relays like to refold headers, and none may touch a body that is ASCII, in lines of at most 76 octets, and ends in one line end.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { type HeaderField, hashBody, relaxField, splitMessage } from './canonical-form.ts';

export type DkimAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

export interface DkimKey {
  /** The domain of From: d=. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: DkimAlgorithm;
  readonly privateKey: KeyObject;
}

/** DKIM-Signature fields, one for each key, with their line ends: what goes in front of the message. Rejects when a key can't sign. */
export async function signMessage(
  message: readonly Buffer[],
  keys: readonly DkimKey[],
  atMs: number,
): Promise<Buffer> {
  const { fields, body } = splitMessage(message);
  const signed = selectFields(fields);
  const bodyHash = hashBody(body);
  const written = keys.map((key) => writeSignature(key, signed, { bodyHash, atMs }));
  return Buffer.from((await Promise.all(written)).join(''), 'latin1');
}

/**
 * What a reader sees or a mailbox acts upon (RFC 6376, 5.4.1; RFC 8058 asks for the List-Unsubscribe fields, Gmail for Feedback-ID).
 * From is named once more than it is there: adding another breaks the signature.
 */
const fieldsToSign = [
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'in-reply-to'],
  ...['references', 'mime-version', 'content-type', 'content-transfer-encoding', 'list-id'],
  ...['list-unsubscribe', 'list-unsubscribe-post', 'feedback-id'],
];
const oversigned = 'from';

interface SignedFields {
  readonly names: readonly string[];
  readonly text: string;
}

interface Signing {
  readonly bodyHash: string;
  readonly atMs: number;
}

/** Of fields that are there more than once, the last comes first (RFC 6376, 5.4.2). */
function selectFields(fields: readonly HeaderField[]): SignedFields {
  const chosen = fieldsToSign.flatMap((name) => fields.filter((field) => field.name === name).reverse());
  const names = chosen.map(({ name }) => name);
  return { names: [oversigned, ...names], text: chosen.map(({ canonical }) => canonical).join('') };
}

async function writeSignature(key: DkimKey, signed: SignedFields, signing: Signing): Promise<string> {
  const value = writeTags(key, signed.names, signing);
  const text = signed.text + relaxField(fieldName, value);
  const signature = await computeSignature(key, Buffer.from(text, 'latin1'));
  return `${fieldName}:${value}${foldSignature(signature)}\r\n`;
}

const fieldName = 'DKIM-Signature';

/** Up to `b=`, which is last: its value is what is computed over the rest. */
function writeTags(
  { algorithm, domain, selector }: DkimKey,
  names: readonly string[],
  { bodyHash, atMs }: Signing,
): string {
  const t = Math.floor(atMs / 1000);
  return (
    ` v=1; a=${algorithm}; c=relaxed/simple; d=${domain};\r\n s=${selector}; t=${t};\r\n` +
    ` bh=${bodyHash};\r\n h=${foldNames(names)};\r\n b=`
  );
}

const longestLine = 76;

/** Lines break behind colons, where RFC 6376 lets white space be. */
function foldNames(names: readonly string[]): string {
  let text = '';
  let used = ' h='.length;
  for (const [i, name] of names.entries()) {
    const item = i === names.length - 1 ? name : `${name}:`;
    const isFull = used + item.length >= longestLine;
    text += isFull ? `\r\n ${item}` : item;
    used = isFull ? 1 + item.length : used + item.length;
  }
  return text;
}

function foldSignature(base64: string): string {
  return base64.replace(/.{72}(?=.)/g, '$&\r\n ');
}

/** The form with a callback runs on libuv's threads; without one it would hold the event loop for a quarter of a millisecond. */
function computeSignature({ algorithm, privateKey }: DkimKey, text: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null, signature: Buffer) =>
      error ? reject(error) : resolve(signature.toString('base64'));
    // RFC 8463, 3: what Ed25519 signs is the hash.
    if (algorithm === 'rsa-sha256') sign('sha256', text, privateKey, settle);
    else sign(null, createHash('sha256').update(text).digest(), privateKey, settle);
  });
}
