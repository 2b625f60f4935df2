/**
 * Bytes as SMTP's DATA wants them: every line ends with CRLF (RFC 5321 §2.3.8; a bare CR or LF is made one, for a server that takes
 * either for a line's end could be made to see an end of the message inside it), and a dot that begins a line is doubled (§4.5.2).
 *
 * Done piece by piece: what stands inside a piece doesn't depend on its neighbours, and what happens where two meet depends on one byte of
 * each. So static segments are prepared once per compiled message, and only the recipient's own few bytes once per message.
 */

const cr = 0x0d;
const lf = 0x0a;
const dot = 0x2e;

const nothing = Buffer.alloc(0);
const crText = Buffer.from('\r');
const lfText = Buffer.from('\n');
const lfDotText = Buffer.from('\n.');
const dotText = Buffer.from('.');

/** The piece itself when nothing in it is to be changed. Its first and its last byte never are. */
export function toDataLines(piece: Buffer): Buffer {
  const chunks: Buffer[] = [];
  let from = 0;
  for (let i = 1; i < piece.length; i++) {
    const between = betweenBytes(piece[i - 1] as number, piece[i] as number);
    if (between.length === 0) continue;
    chunks.push(piece.subarray(from, i), between);
    from = i;
  }
  return chunks.length === 0 ? piece : Buffer.concat([...chunks, piece.subarray(from)]);
}

/** What stands between two pieces, by the last byte of the one (undefined: the message begins) and the first of the other. */
export function betweenBytes(last: number | undefined, first: number): Buffer {
  if (last === cr && first !== lf) return first === dot ? lfDotText : lfText;
  if (first === lf && last !== cr) return crText;
  return first === dot && (last === lf || last === undefined) ? dotText : nothing;
}

/** What ends the message behind its last byte: the rest of the last line's end, and a dot alone on its line. */
export function endOfData(last: number | undefined): Buffer {
  if (last === lf) return afterLf;
  return last === cr ? afterCr : afterText;
}

const afterLf = Buffer.from('.\r\n');
const afterCr = Buffer.from('\n.\r\n');
const afterText = Buffer.from('\r\n.\r\n');
