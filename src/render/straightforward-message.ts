/**
 * For tests: a message as one would write it without compiling anything. The whole template goes through LiquidJS as it comes,
 * each stretch of text is encoded by the letter of RFC 2045, and the header is written out. The one thing it shares with the
 * compiled path is the rule where stretches end: at every seam between the template's own text and what it prints.
 */
import { Liquid, type Template } from 'liquidjs';
import { type BlockTag, childLists, staticText } from './block-tags.ts';
import { sampleContext, sampleRecipient } from './sample-message.ts';

export type Attributes = Readonly<Record<string, unknown>>;

const options = { ownPropertyOnly: true, strictFilters: true, timezoneOffset: 0, locale: 'en-US' };
export const plainHtml = new Liquid({ ...options, outputEscape: 'escape' });
export const plainText = new Liquid(options);

/** The bytes, one character each, of `sampleSource` with this text and HTML, for `sampleRecipient` with these attributes. */
export function writeMessage(source: string, attributes: Attributes, boundary: string): string {
  const { email, token, unsubscribeUrl } = sampleRecipient;
  return [
    'From: shop@example.com',
    `To: ${email}`,
    'Subject: Hello',
    'Date: Fri, 27 Nov 2026 10:00:00 +0000',
    `Message-ID: <${token}@mail.example.com>`,
    'MIME-Version: 1.0',
    `List-Unsubscribe: <${unsubscribeUrl}>`,
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    'List-Id: <ten_1.mail.example.com>',
    'Feedback-ID: cmp_1:ten_1:campaign:sluice',
    'Content-Type: multipart/alternative;',
    ` boundary="${boundary}"`,
    '',
    `--${boundary}`,
    ...writePart('text/plain', plainText, { source, attributes }),
    `--${boundary}`,
    ...writePart('text/html', plainHtml, { source, attributes }),
    `--${boundary}--`,
    '',
  ].join('\r\n');
}

/** What a template sees. */
export function variablesOf(attributes: Attributes): object {
  const { email, unsubscribeUrl } = sampleRecipient;
  const now = sampleContext.now.toISOString();
  return {
    profile: { ...attributes, email },
    campaign: sampleContext.campaign,
    unsubscribe_url: unsubscribeUrl,
    now,
  };
}

interface Part {
  readonly source: string;
  readonly attributes: Attributes;
}

function writePart(type: string, engine: Liquid, { source, attributes }: Part): string[] {
  const nodes = engine.parse(source);
  fenceStaticText(nodes);
  const printed = String(engine.renderSync(nodes, variablesOf(attributes)));
  const stretches = printed.split(/[\uFDD0\uFDD1]/);
  const body = stretches.map(encodeByTheLetter).join('');
  return [`Content-Type: ${type}; charset=utf-8`, 'Content-Transfer-Encoding: quoted-printable', '', body];
}

/** Between two characters that no text has. What stands in a capture is read back as a value, and stays as it is. */
function fenceStaticText(nodes: Template[]): void {
  for (const [i, node] of nodes.entries()) {
    const text = staticText(node);
    if (text) nodes[i] = { token: node.token, render: (_, emitter) => emitter.write(`\uFDD0${text}\uFDD1`) };
    else if ((node as BlockTag).name !== 'capture') childLists(node).forEach(fenceStaticText);
  }
}

function encodeByTheLetter(text: string): string {
  const lines = text.replace(/[^\P{Cc}\t\n\r\u0080-\u009f]/gu, '').split(/\r\n|\r|\n/);
  const last = lines.pop() as string;
  const ended = lines.map((line) => `${encodeLine(line, true)}\r\n`).join('');
  return last === '' ? ended : `${ended}${encodeLine(last, false)}=\r\n`;
}

/** At most 75 octets and a soft break on each line, no character on two of them. */
function encodeLine(line: string, isEnded: boolean): string {
  const wrapped = [''];
  const characters = [...line];
  for (const [i, character] of characters.entries()) {
    const isLast = isEnded && i === characters.length - 1;
    const encoded = isLast && /[ \t]/.test(character) ? escapeOctets(character) : encodeCharacter(character);
    const current = wrapped[wrapped.length - 1] as string;
    const isFull = current.length + encoded.length > 75;
    const isFirst = isFull || current === '';
    const written = isFirst && encoded === '.' ? '=2E' : encoded;
    if (isFull) wrapped.push(written);
    else wrapped[wrapped.length - 1] = current + written;
  }
  return wrapped.join('=\r\n');
}

function encodeCharacter(character: string): string {
  return /[\t\x20-\x3c\x3e-\x7e]/.test(character) ? character : escapeOctets(character);
}

function escapeOctets(character: string): string {
  return Buffer.from(character)
    .toString('hex')
    .replace(/../g, (octet) => `=${octet.toUpperCase()}`);
}
