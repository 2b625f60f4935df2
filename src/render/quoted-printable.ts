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

/** The encoding of each octet: itself where RFC 2045 lets it be, `=XX` else. */
const octets = Array.from({ length: 256 }, (_, octet) => {
  const isLiteral = octet === 0x09 || (octet >= 0x20 && octet <= 0x7e && octet !== 0x3d);
  return isLiteral ? String.fromCharCode(octet) : escapeOctet(octet);
});

function encodeLine(line: string, endsHard: boolean): string {
  let encoded = '';
  let column = 0;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    let unit = code < 0x80 ? (octets[code] as string) : '';
    if (unit === '') {
      const point = line.codePointAt(i) as number;
      if (point > 0xffff) i++;
      unit = encodeCodePoint(point);
    } else if (endsHard && i === line.length - 1 && (code === 0x20 || code === 0x09)) {
      unit = escapeOctet(code);
    }
    if (column + unit.length > maxColumns) {
      encoded += '=\r\n';
      column = 0;
    }
    if (column === 0 && unit === '.') unit = '=2E';
    encoded += unit;
    column += unit.length;
  }
  return encoded;
}

/** UTF-8, all octets of a character on one line. A lone surrogate becomes U+FFFD, as everywhere in Node. */
function encodeCodePoint(point: number): string {
  if (point < 0x800) return unit(0xc0 | (point >> 6)) + unit(0x80 | (point & 0x3f));
  if (point >= 0xd800 && point <= 0xdfff) return '=EF=BF=BD';
  const tail = unit(0x80 | ((point >> 6) & 0x3f)) + unit(0x80 | (point & 0x3f));
  if (point < 0x10000) return unit(0xe0 | (point >> 12)) + tail;
  return unit(0xf0 | (point >> 18)) + unit(0x80 | ((point >> 12) & 0x3f)) + tail;
}

function unit(octet: number): string {
  return octets[octet] as string;
}

function escapeOctet(octet: number): string {
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}
