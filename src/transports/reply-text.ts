/** Reads a server's raw reply into a `Reply`: the only form in which its text leaves transports/. */
import type { Reply } from './contract.ts';

/** Longest text that is kept; servers may send 512 bytes a line (RFC 5321 §4.5.3.1.5) and any number of lines. */
const longestText = 200;

/** RFC 2034 puts the enhanced code first in each line's text; RFC 3463 gives it three parts. Cisco writes `#` before it. */
const replyLine = /^(\d{3})?[ -]?#?(?:([245]\.\d{1,3}\.\d{1,3})(?=\s|$))?\s*(.*)$/;

/** Reads an SMTP reply, of one line or several. What isn't a reply gets code 0 and keeps its text. */
export function parseReply(raw: string): Reply {
  // A reply of a thousand lines is no reason to read them all.
  const lines = raw.slice(0, 4000).split(/\r?\n/);
  const code = /^([2-5]\d\d)(?:[ -]|$)/.exec(lines[0] ?? '')?.[1];
  if (code === undefined) return { code: 0, text: cleanText(raw) };
  let enhanced: string | undefined;
  const texts = lines.map((line) => {
    const match = replyLine.exec(line);
    enhanced ??= match?.[2];
    return match?.[3] ?? line;
  });
  const text = cleanText(texts.join(' '));
  return enhanced === undefined ? { code: Number(code), text } : { code: Number(code), enhanced, text };
}

/** What we say ourselves when the other side said nothing. */
export function ownReply(text: string, enhanced?: string): Reply {
  return enhanced === undefined
    ? { code: 0, text: cleanText(text) }
    : { code: 0, enhanced, text: cleanText(text) };
}

/** Free of control characters, white space single, cut to 200 characters. */
export function cleanText(text: string): string {
  const clean = text
    .slice(0, 4000)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\s]+/gu, ' ')
    .trim();
  return clean.length <= longestText ? clean : `${cutAtCharacter(clean, longestText - 1)}…`;
}

/** Doesn't leave half of a surrogate pair. */
function cutAtCharacter(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
