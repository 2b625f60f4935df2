/**
 * Where a text stops being JSON (RFC 8259). Node's own messages often leave the position out, so a text that
 * JSON.parse has refused is scanned again here. A stack stands for the nesting: no recursion.
 */

type Wanted = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or }' | ', or ]' | 'nothing more';
type Nesting = ('{' | '[')[];

/** `"` stands for a string, `0` for a number, true, false or null; the others for themselves. */
interface Token {
  readonly kind: string;
  readonly end: number;
}

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** One sentence with the line and column of the first token that can't stand there. */
export function findJsonError(text: string): string {
  const nesting: Nesting = [];
  let wanted: Wanted = 'value';
  let position = skipSpace(text, 0);
  for (;;) {
    const token = readToken(text, position);
    const next: Wanted | undefined = token && step(wanted, token.kind, nesting);
    if (!token || !next) return describe(text, position, wanted);
    wanted = next;
    position = skipSpace(text, token.end);
  }
}

function skipSpace(text: string, from: number): number {
  let position = from;
  while (position < text.length && ' \t\n\r'.includes(text.charAt(position))) position++;
  return position;
}

function readToken(text: string, position: number): Token | undefined {
  const char = text.charAt(position);
  if (char === '') return undefined;
  if ('{}[],:'.includes(char)) return { kind: char, end: position + 1 };
  const end = char === '"' ? endOfString(text, position) : endOfMatch(scalar, text, position);
  return end === undefined ? undefined : { kind: char === '"' ? char : '0', end };
}

/** By hand: a regular expression over a string of megabytes runs out of its stack. */
function endOfString(text: string, start: number): number | undefined {
  let position: number | undefined = start + 1;
  while (position !== undefined && position < text.length) {
    const char = text.charCodeAt(position);
    if (char === 0x22) return position + 1;
    if (char < 0x20) return undefined;
    position = char === 0x5c ? endOfMatch(escaped, text, position) : position + 1;
  }
  return undefined;
}

function endOfMatch(pattern: RegExp, text: string, position: number): number | undefined {
  pattern.lastIndex = position;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** What may follow a token, or undefined when the token may not stand here. */
function step(wanted: Wanted, kind: string, nesting: Nesting): Wanted | undefined {
  switch (wanted) {
    case 'value':
    case 'value or ]':
      return kind === ']' && wanted === 'value or ]' ? close(nesting) : startValue(kind, nesting);
    case 'name':
    case 'name or }':
      return kind === '}' && wanted === 'name or }' ? close(nesting) : kind === '"' ? ':' : undefined;
    case ':':
      return kind === ':' ? 'value' : undefined;
    case ', or }':
      return kind === '}' ? close(nesting) : kind === ',' ? 'name' : undefined;
    case ', or ]':
      return kind === ']' ? close(nesting) : kind === ',' ? 'value' : undefined;
    case 'nothing more':
      return undefined;
  }
}

function startValue(kind: string, nesting: Nesting): Wanted | undefined {
  if (kind === '"' || kind === '0') return afterValue(nesting);
  if (kind !== '{' && kind !== '[') return undefined;
  nesting.push(kind);
  return kind === '{' ? 'name or }' : 'value or ]';
}

function close(nesting: Nesting): Wanted {
  nesting.pop();
  return afterValue(nesting);
}

function afterValue(nesting: Nesting): Wanted {
  const inside = nesting.at(-1);
  if (inside === undefined) return 'nothing more';
  return inside === '{' ? ', or }' : ', or ]';
}

function describe(text: string, position: number, wanted: Wanted): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  const point = text.codePointAt(position);
  const found = point === undefined ? 'the end' : JSON.stringify(String.fromCodePoint(point));
  return `Position ${position} (line ${line}, column ${column}): ${found} where ${wanted} is expected`;
}
