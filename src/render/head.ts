/**
 * The header of a message: the fields, in order, with gaps for the recipient's own values. Everything that is the same
 * for all recipients is checked and encoded here, once.
 */
import { parseAddress, parseDomain } from '../audience/address.ts';
import { encodeHeaderText, encodePhrase, hasLineBreak } from './header-text.ts';
import type { MessageSource, SourceError } from './source.ts';

/**
 * Header text around the gaps: before To's address, the subject, the date, the Message-ID, the unsubscribe URL; the last
 * ends the header and opens the text part. The source has been checked.
 */
export function buildHead(source: MessageSource, boundary: string): readonly string[] {
  const replyTo = source.replyTo === undefined ? '' : `Reply-To: ${addressOf(source.replyTo)}\r\n`;
  return [
    `${fromField(source.from)}\r\nTo: `,
    `\r\n${replyTo}Subject: `,
    '\r\nDate: ',
    '\r\nMessage-ID: <',
    '>\r\nMIME-Version: 1.0\r\nList-Unsubscribe: <',
    `>\r\n${listFields(source)}${customFields(source)}Content-Type: multipart/alternative;\r\n boundary="${boundary}"\r\n\r\n` +
      `--${boundary}\r\n${partHeader('text/plain')}`,
  ];
}

/** What stands between the text part and the HTML part, and after it. A line break before a delimiter belongs to it. */
export function buildBodySeams(boundary: string): { readonly between: string; readonly end: string } {
  return {
    between: `\r\n--${boundary}\r\n${partHeader('text/html')}`,
    end: `\r\n--${boundary}--\r\n`,
  };
}

export function findHeadErrors(source: MessageSource): SourceError[] {
  const { from, replyTo, feedbackId, listId } = source;
  const errors: SourceError[] = [];
  const check = (field: SourceError['field'], isValid: boolean, detail: string) => {
    if (!isValid) errors.push({ field, detail });
  };
  check('from', isPlainAddress(from.email), 'not an address that everybody can reply to');
  check('from', !hasLineBreak(from.name ?? ''), 'a name must not hold line breaks');
  check('from', (from.name ?? '').length <= 200, 'a name has at most 200 characters');
  check(
    'replyTo',
    replyTo === undefined || isPlainAddress(replyTo),
    'not an address that everybody can reply to',
  );
  check('sendingDomain', parseDomain(source.sendingDomain) !== undefined, 'not a domain name');
  check('bounceDomain', parseDomain(source.bounceDomain) !== undefined, 'not a domain name');
  check(
    'listId',
    /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(listId) && listId.length <= 100,
    'not a dot-atom',
  );
  for (const [part, value] of Object.entries(feedbackId)) {
    check(
      'feedbackId',
      /^[A-Za-z0-9_.-]{1,100}$/.test(value),
      `${part} must be of letters, digits, dots, - and _`,
    );
  }
  check('feedbackId', /^.{5,15}$/.test(feedbackId.sender), 'sender must have 5 to 15 characters');
  errors.push(...findCustomErrors(source.headers ?? {}));
  return errors;
}

const maxCustomFields = 20;
/** Ours to write, or the receiving side's; two of any of them make a message invalid or its sender untrusted. */
const reservedField =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*|list-unsubscribe.*|list-id|feedback-id|return-path|received.*|resent-.*|dkim-signature|arc-.*|authentication-results|delivered-to)$/i;

function findCustomErrors(headers: Readonly<Record<string, string>>): SourceError[] {
  const entries = Object.entries(headers);
  const errors = entries.flatMap(([name, value]) => findCustomProblem(name, value) ?? []);
  if (entries.length > maxCustomFields) errors.push(`more than ${maxCustomFields} fields`);
  return errors.map((detail) => ({ field: 'headers', detail }));
}

function findCustomProblem(name: string, value: string): string | undefined {
  const shown = JSON.stringify(name.slice(0, 60));
  if (!/^[A-Za-z0-9-]{1,60}$/.test(name)) return `${shown} is not a field name`;
  if (reservedField.test(name)) return `${shown} is written by Sluice itself`;
  if (hasLineBreak(value)) return `${shown} holds a line break`;
  return value.trim() === '' || value.length > 900 ? `${shown} must have 1 to 900 characters` : undefined;
}

function isPlainAddress(text: string): boolean {
  const address = parseAddress(text);
  return address.kind === 'address' && !address.isSmtpUtf8;
}

function addressOf(text: string): string {
  const address = parseAddress(text);
  return address.kind === 'address' ? address.email : '';
}

function fromField({ email, name }: MessageSource['from']): string {
  const address = addressOf(email);
  if (!name?.trim()) return `From: ${address}`;
  const field = `From: ${encodePhrase(name.trim(), 'From: '.length)}`;
  const used = field.length - Math.max(0, field.lastIndexOf('\n') + 1);
  return `${field}${used + address.length + 3 > 76 ? '\r\n' : ''} <${address}>`;
}

/** RFC 8058 one-click, RFC 2919, and Gmail's feedback loop. */
function listFields({ listId, sendingDomain, feedbackId }: MessageSource): string {
  const { campaign, tenant, stream, sender } = feedbackId;
  return (
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n' +
    `List-Id: <${listId}.${parseDomain(sendingDomain)}>\r\n` +
    `Feedback-ID: ${campaign}:${tenant}:${stream}:${sender}\r\n`
  );
}

function customFields({ headers = {} }: MessageSource): string {
  const fields = Object.entries(headers).map(([name, value]) => {
    const text = value.replace(/[ \t]+/g, ' ').trim();
    return `${name}: ${encodeHeaderText(text, name.length + 2)}\r\n`;
  });
  return fields.join('');
}

function partHeader(type: string): string {
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`;
}
