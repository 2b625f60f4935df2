/** For tests: a message source, a recipient, and a message's parts as another program sees them. */
import PostalMime, { type Email } from 'postal-mime';
import { type CompiledTemplate, compileMessage } from './compile.ts';
import type { RenderedMessage } from './message.ts';
import type { Recipient, RenderContext } from './recipient.ts';
import { renderRecipient } from './render.ts';
import type { MessageSource } from './source.ts';
import { messageBuffers } from './splice.ts';

export const sampleSource: MessageSource = {
  subject: 'Hello',
  html: '<p>Hello</p>',
  from: { email: 'shop@example.com' },
  sendingDomain: 'mail.example.com',
  bounceDomain: 'bounce.example.com',
  listId: 'ten_1',
  feedbackId: { campaign: 'cmp_1', tenant: 'ten_1', stream: 'campaign', sender: 'sluice' },
};

export const sampleRecipient: Recipient = {
  seq: 7,
  email: 'ada@example.org',
  attributes: { first_name: 'Ada' },
  token: `dlv_${'0'.repeat(33)}.0123456789abcdef`,
  unsubscribeUrl: 'https://click.example.com/u/token',
};

export const sampleContext: RenderContext = {
  campaign: { id: 'cmp_1', name: 'Black Friday' },
  now: new Date('2026-11-27T10:00:00.000Z'),
};

export function compileSample(source: Partial<MessageSource>): CompiledTemplate {
  const result = compileMessage({ ...sampleSource, ...source });
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.errors));
  return result.message;
}

export function renderSample(
  template: CompiledTemplate,
  recipient: Partial<Recipient> = {},
): RenderedMessage {
  const result = renderRecipient(template, { ...sampleRecipient, ...recipient }, sampleContext);
  if (result.kind === 'skipped') throw new Error(`${result.reason}: ${result.detail}`);
  return result.message;
}

/** The message as one text, as it goes over the wire: every octet a character. */
export function wireText(source: Partial<MessageSource>, recipient: Partial<Recipient> = {}): string {
  const template = compileSample(source);
  return Buffer.concat(messageBuffers(template.message, renderSample(template, recipient))).toString(
    'latin1',
  );
}

export async function parseMail(wire: string): Promise<Email> {
  return PostalMime.parse(Buffer.from(wire, 'latin1'));
}

/** Text and HTML, decoded by the letter of RFC 2045 and 2046. */
export function decodeParts(wire: string): { readonly text: string; readonly html: string } {
  const boundary = /boundary="([^"]+)"/.exec(wire)?.[1];
  const [, text = '', html = ''] = wire
    .split(`\r\n--${boundary}`)
    .map((part) => part.replace(/^[\s\S]*?\r\n\r\n/, ''));
  return { text: decodeQuotedPrintable(text), html: decodeQuotedPrintable(html) };
}

export function decodeQuotedPrintable(encoded: string): string {
  const octets = encoded
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
}

/** What every message on the wire obeys: RFC 5321 2.3.8, RFC 2045 6.7, and no line that needs dot-stuffing. */
export function findWireProblems(wire: string): string[] {
  const head = wire.indexOf('\r\n\r\n');
  return wire.split('\r\n').flatMap((line, i, lines) => {
    const isBody = lines.slice(0, i).join('\r\n').length > head;
    const problems = [
      /[\r\n\0]/.test(line) && 'a line end that is not CRLF, or NUL',
      isBody && line.length > 76 && 'more than 76 octets in the body',
      line.length > 998 && 'more than 998 octets',
      line.startsWith('.') && 'begins with a dot',
      isBody && /[ \t]$/.test(line) && 'ends in white space',
      isBody && /[^\x20-\x7e\t]/.test(line) && 'not ASCII',
    ];
    return problems
      .filter((problem) => problem !== false)
      .map((problem) => `line ${i + 1}: ${problem}: ${line}`);
  });
}
