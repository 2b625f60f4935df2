/** Cuts what a server sends into replies (RFC 5321 §4.2.1), however its bytes arrive. */

export interface RawReply {
  /** 200 to 599; 0 for what isn't a reply: no code, or lines of one reply that don't agree on it. */
  readonly code: number;
  /** As it was sent, its lines joined by `\n`. */
  readonly raw: string;
}

/** Of one reply, whatever it has. A real one has a few hundred; this stops a peer that never completes one. */
const longestReply = 64 * 1024;

export class ReplyReader {
  /** A line without its end. Every character is a byte until its reply is complete. */
  #begunLine = '';
  /** The lines of a reply that goes on. */
  #lines: string[] = [];
  #length = 0;

  /** Whether something was said of a reply that isn't complete. */
  get isInReply(): boolean {
    return this.#begunLine !== '' || this.#lines.length > 0;
  }

  /** What was said of it. */
  get begun(): string {
    return decode([...this.#lines, this.#begunLine].join('\n'));
  }

  /** The replies that are complete now; undefined when one grows too long to go on. */
  read(chunk: Buffer): readonly RawReply[] | undefined {
    const text = chunk.toString('latin1');
    const replies: RawReply[] = [];
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      this.#takeLine(this.#begunLine + text.slice(from, to), replies);
      this.#begunLine = '';
      from = to + 1;
    }
    // Only put together when its end is here: a line that comes byte by byte is not copied for each.
    this.#begunLine += text.slice(from);
    return this.#length + this.#begunLine.length > longestReply ? undefined : replies;
  }

  #takeLine(ended: string, replies: RawReply[]): void {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
    if (this.#lines.length === 0 && line.trim() === '') return;
    this.#lines.push(line);
    this.#length += line.length;
    if (isContinued(line)) return;
    replies.push({ code: agreedCode(this.#lines), raw: decode(this.#lines.join('\n')) });
    this.#lines = [];
    this.#length = 0;
  }
}

function isContinued(line: string): boolean {
  return line.charAt(3) === '-' && codeOf(line) > 0;
}

function agreedCode(lines: readonly string[]): number {
  const code = codeOf(lines[0] as string);
  return lines.length === 1 || lines.every((line) => codeOf(line) === code) ? code : 0;
}

/** Some servers end a reply's line right after its code. */
function codeOf(line: string): number {
  return /^[2-5]\d\d(?:[ -]|$)/.test(line) ? Number(line.slice(0, 3)) : 0;
}

/** UTF-8 where it is (RFC 6531 §3.7.4.2), else byte for byte. */
function decode(bytes: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes;
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return text.includes('\uFFFD') ? bytes : text;
}
