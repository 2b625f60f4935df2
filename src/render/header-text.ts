/**
 * Text in header fields: RFC 5322 folding, RFC 2047 encoded words. Pure ASCII out, whatever comes in.
 */

/**
 * `text` as the value of an unstructured field whose name ends at `column`. ASCII is folded at its spaces at 78 octets;
 * anything else becomes encoded words of at most 75 octets, none of which splits a character. `text` holds no line
 * breaks (see `hasLineBreak`); other controls are dropped.
 */
export function encodeHeaderText(text: string, column: number): string {
  const clean = text.replace(controls, '');
  return isPlain(clean) ? foldWords(clean, column) : encodeWords(clean, column);
}

/** A display name (RFC 5322 phrase): as it is, quoted, or as encoded words. */
export function encodePhrase(text: string, column: number): string {
  const clean = text.replace(controls, '');
  if (!isPlain(clean) || clean.length > 60) return encodeWords(clean, column);
  return /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*$/.test(clean) ? clean : `"${clean.replace(/["\\]/g, '\\$&')}"`;
}

/** CR, LF or NUL: what would end a header field early, and never has a place in one. */
export function hasLineBreak(text: string): boolean {
  return /[\r\n\0]/.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it removes
const controls = /[\x00-\x08\x0a-\x1f\x7f]/g;
const maxLine = 78;
/** A line with an encoded word is shorter than others (RFC 2047 2). */
const maxEncodedLine = 76;
const maxWord = 75;
const wordOverhead = '=?UTF-8?B??='.length;

/** Can stand as it is: printable ASCII, nothing that reads like an encoded word, and no word too long to fold. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(text) && !text.includes('=?') && !/[^ \t]{76}/.test(text);
}

function foldWords(text: string, column: number): string {
  let folded = '';
  let used = column;
  for (const [word] of text.matchAll(/[ \t]*[^ \t]*/g)) {
    const canFold = /^[ \t]/.test(word) && folded !== '';
    if (canFold && used + word.length > maxLine) {
      folded += '\r\n';
      used = 0;
    }
    folded += word;
    used += word.length;
  }
  return folded;
}

function encodeWords(text: string, column: number): string {
  const words: string[] = [];
  let word: Buffer[] = [];
  let size = 0;
  let capacity = wordCapacity(Math.min(maxWord, maxEncodedLine - column));
  for (const character of text) {
    const bytes = Buffer.from(character, 'utf8');
    if (size + bytes.length > capacity) {
      words.push(encodeWord(word));
      word = [];
      size = 0;
      capacity = wordCapacity(maxWord);
    }
    word.push(bytes);
    size += bytes.length;
  }
  if (size > 0) words.push(encodeWord(word));
  return words.join('\r\n ');
}

/** Whole groups of three octets that base64 fits into a word of that length; at least one character. */
function wordCapacity(length: number): number {
  return Math.max(2, Math.floor((length - wordOverhead) / 4)) * 3;
}

function encodeWord(bytes: readonly Buffer[]): string {
  return `=?UTF-8?B?${Buffer.concat(bytes).toString('base64')}?=`;
}
