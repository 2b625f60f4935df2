/**
 * What a column becomes in each of several rows of a chunk, in one statement: what a server says is often different for each message (a session's id,
 * a time), and one that refuses thousands must not cost a statement for each.
 */

export interface ValueBySeq {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** `?` where all rows get the same; else chosen by `column`, which is `seq` under the statement's name for it. Rows: bounded by the caller. */
export function valueBySeq<T extends { readonly seq: number }>(
  rows: readonly T[],
  read: (row: T) => string | number | null,
  column = 'seq',
): ValueBySeq {
  const values = rows.map(read);
  if (values.every((value) => value === values[0])) return { sql: '?', values: [values[0] ?? null] };
  return {
    sql: `CASE ${column} ${rows.map(() => 'WHEN ? THEN ?').join(' ')} END`,
    values: rows.flatMap(({ seq }, i) => [seq, values[i]]),
  };
}
