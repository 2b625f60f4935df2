/** Text that comes in pieces, as lines: LF, CRLF, or CR alone where a file has no LF before its first CR. */
import { maxRowLength } from './import-row.ts';

/** Without its line end; undefined for a line that was too long to hold. */
export type Line = string | undefined;

export interface LineSplitter {
  push(text: string): Line[];
  end(): Line[];
}

export function createLineSplitter(maxLength: number = maxRowLength): LineSplitter {
  let rest = '';
  let isDropping = false;
  let separator: string | undefined;

  function push(text: string): Line[] {
    separator ??= findSeparator(rest + text);
    const pieces: Line[] = separator === undefined ? [text] : text.split(separator);
    const last = pieces.pop() ?? '';
    if (pieces.length > 0) {
      pieces[0] = isDropping ? undefined : rest + pieces[0];
      rest = '';
      isDropping = false;
    }
    hold(last);
    return pieces.map(finish);
  }

  function hold(text: string): void {
    if (isDropping) return;
    rest += text;
    isDropping = rest.length > maxLength;
    if (isDropping) rest = '';
  }

  function end(): Line[] {
    const last = isDropping ? [undefined] : rest === '' ? [] : [finish(rest)];
    rest = '';
    isDropping = false;
    return last;
  }

  function finish(line: Line): Line {
    if (line === undefined || line.length > maxLength) return undefined;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  return { push, end };
}

/** Undefined while the text so far can't tell: a CR at its very end may be half of a CRLF. */
function findSeparator(text: string): string | undefined {
  const first = text.search(/[\r\n]/);
  if (first < 0 || (text[first] === '\r' && first === text.length - 1)) return undefined;
  return text[first] === '\r' && text[first + 1] !== '\n' ? '\r' : '\n';
}
