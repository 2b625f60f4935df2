/** Columns of plain text. Pure. */

export interface Column<T> {
  readonly head: string;
  readonly text: (row: T) => string;
  /** Figures stand at the right. */
  readonly isFigure?: boolean;
}

const gap = '  ';

/** Lines, the heads first; the last column takes what is left of `width`, and lines longer than it are cut. */
export function formatTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ text }) => clean(text(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  return cells.map((line) => cut(line.map((cell, i) => pad(cell, widths[i]!, columns[i]!)).join(gap), width));
}

function pad<T>(cell: string, width: number, { isFigure = false }: Column<T>): string {
  return isFigure ? cell.padStart(width) : cell.padEnd(width);
}

/** Names and replies are other people's text: nothing in them may move the cursor. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function cut(line: string, width: number): string {
  const text = line.trimEnd();
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
