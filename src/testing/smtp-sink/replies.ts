import type { Random } from './seeded-random.ts';

/** A reply as its author writes it: `text` may have several lines (`\n`), each with its own enhanced code. */
export interface ReplyText {
  readonly code: number;
  readonly text: string;
}

/** The bytes on the wire: `code-` on every line but the last (RFC 5321 section 4.2.1). */
export function formatReply(code: number, text: string): string {
  if (!text.includes('\n')) return `${code} ${text}\r\n`;
  const lines = text.split('\n');
  const last = lines.length - 1;
  return lines.map((line, at) => `${code}${at === last ? ' ' : '-'}${line}\r\n`).join('');
}

/** Bytes that are no reply: not one of them ASCII before the line end. */
export function garbage(random: Random, length: number): string {
  const bytes = Array.from({ length }, () => String.fromCharCode(0x80 + Math.floor(random() * 0x80)));
  return `${bytes.join('')}\r\n`;
}
