/**
 * Quoted-printable (RFC 2045 6.7) in pieces that can be concatenated in any order.
 *
 * Every piece begins and ends at the start of a line: where the text doesn't end with a line break, a soft one (`=` CRLF)
 * follows. Six octets per recipient's value buy that a static piece is the same bytes whatever stands before it, so it
 * is encoded once per campaign, and that no seam can make a line too long, put a space at a line's end or a dot at
 * its beginning. The alternative, tracking the column through loops and conditions, would make segments depend on values.
 */

/** Lines end with CRLF and have at most 76 octets; none begins with a dot. NUL and other controls are dropped. */
export function encodeQuotedPrintable(text: string): string {
  if (shortPlainText.test(text)) return `${text}=\r\n`;
  const lines = text.replace(forbiddenControls, '').split(lineBreak);
  const last = lines.pop() ?? '';
  let encoded = '';
  for (const line of lines) encoded += `${encodeLine(line, true)}\r\n`;
  return last === '' ? encoded : `${encoded}${encodeLine(last, false)}=\r\n`;
}

/** Printable ASCII that fits one line with its soft break, free of `=` and of a leading dot. */
const shortPlainText = /^[\x20-\x2d\x2f-\x3c\x3e-\x7e][\x20-\x3c\x3e-\x7e]{0,74}$/;
const lineBreak = /\r\n?|\n/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it removes
const forbiddenControls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
/** One less than 76: room for the `=` of a soft break. */
const maxColumns = 75;

/** By ASCII code: 1 where RFC 2045 lets a character be. */
const literals = Uint8Array.from({ length: 128 }, (_, code) =>
  code === 0x09 || (code >= 0x20 && code <= 0x7e && code !== 0x3d) ? 1 : 0,
);
const dot = 0x2e;
const escapedOctets = Array.from(
  { length: 256 },
  (_, value) => `=${value.toString(16).toUpperCase().padStart(2, '0')}`,
);

/** What may stay is taken in runs, not character by character: most values are plain text. */
function encodeLine(line: string, endsHard: boolean): string {
  const plainEnd = endsHard && /[ \t]$/.test(line) ? line.length - 1 : line.length;
  let encoded = '';
  let column = 0;
  for (let at = 0; at < line.length; ) {
    const isDotFirst = column === 0 && line.charCodeAt(at) === dot;
    const end = isDotFirst ? at : endOfLiterals(line, at, Math.min(plainEnd, at + maxColumns - column));
    if (end > at) {
      encoded += line.slice(at, end);
      column += end - at;
      at = end;
      continue;
    }
    const point = line.codePointAt(at) as number;
    const unit = point < 0x80 ? octet(point) : encodeCodePoint(point);
    if (column + unit.length > maxColumns) {
      encoded += '=\r\n';
      column = 0;
      continue;
    }
    encoded += unit;
    column += unit.length;
    at += point > 0xffff ? 2 : 1;
  }
  return encoded;
}

function endOfLiterals(line: string, from: number, most: number): number {
  let at = from;
  while (at < most && literals[line.charCodeAt(at)] === 1) at++;
  return at;
}

/** UTF-8, all octets of a character on one line. A lone surrogate becomes U+FFFD, as everywhere in Node. */
function encodeCodePoint(point: number): string {
  if (point < 0x800) return octet(0xc0 | (point >> 6)) + octet(0x80 | (point & 0x3f));
  if (point >= 0xd800 && point <= 0xdfff) return '=EF=BF=BD';
  const tail = octet(0x80 | ((point >> 6) & 0x3f)) + octet(0x80 | (point & 0x3f));
  if (point < 0x10000) return octet(0xe0 | (point >> 12)) + tail;
  return octet(0xf0 | (point >> 18)) + octet(0x80 | ((point >> 12) & 0x3f)) + tail;
}

function octet(value: number): string {
  return escapedOctets[value] as string;
}
