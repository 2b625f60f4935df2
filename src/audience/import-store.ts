/** Imports as their users see them: made, received, read, cancelled. Running one is `import-lease.ts`. */
import type { ImportId, ListId, TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { type CsvDelimiter, csvDelimiters } from './csv-header.ts';
import type { ImportFormat, ImportState } from './import-state.ts';

export interface ImportKey {
  readonly tenantId: TenantId;
  readonly id: ImportId;
}

export interface ImportSource {
  readonly format: ImportFormat;
  readonly delimiter?: CsvDelimiter | undefined;
  readonly listId: ListId | null;
}

export interface Import extends ImportKey, ImportSource {
  readonly state: ImportState;
  readonly receivedBytes: number;
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

export interface ImportError {
  readonly line: number;
  readonly field: string | null;
  readonly detail: string;
}

/** An upload of which no block (1 MiB) was filled for this long is given up. */
export const uploadLeaseSeconds = 300;

/** Makes an import in state `receiving`. Throws a duplicate-key error when the id is taken. */
export async function insertImport(sql: Sql, key: ImportKey, source: ImportSource): Promise<void> {
  await sql.write(
    `INSERT INTO imports (tenant_id, id, format, list_id, state, lease_until, created_at)
     VALUES (?, ?, ?, ?, 'receiving', NOW(3) + INTERVAL ? SECOND, NOW(3))`,
    [key.tenantId, key.id, source.format + (source.delimiter ?? ''), source.listId, uploadLeaseSeconds],
  );
}

/** Everything has come: from here on any runner may take it. False when it was cancelled or given up meanwhile. */
export async function submitImport(sql: Sql, key: ImportKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'pending', lease_until = NULL
     WHERE tenant_id = ? AND id = ? AND state = 'receiving'`,
    [key.tenantId, key.id],
  );
  return affectedRows > 0;
}

/** Its blocks are left to `sweepImports`. */
export async function failUpload(sql: Sql, key: ImportKey, failure: string): Promise<void> {
  await sql.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'failed', failure = ?, finished_at = NOW(3), lease_until = NOW(3)
     WHERE tenant_id = ? AND id = ? AND state = 'receiving'`,
    [failure, key.tenantId, key.id],
  );
}

/**
 * False when it has ended already. A runner at work finds out at its next batch; rows that are in by then stay in.
 */
export async function cancelImport(sql: Sql, key: ImportKey): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE imports FORCE INDEX (PRIMARY) SET state = 'cancelled', owner = NULL, finished_at = NOW(3), lease_until = NOW(3)
     WHERE tenant_id = ? AND id = ? AND state IN ('receiving', 'pending', 'running')`,
    [key.tenantId, key.id],
  );
  return affectedRows > 0;
}

export async function findImport(sql: Sql, { tenantId, id }: ImportKey): Promise<Import | undefined> {
  const row = await sql.first<ImportRecord>(`SELECT ${columns} FROM imports WHERE tenant_id = ? AND id = ?`, [
    tenantId,
    id,
  ]);
  return row && toImport(row);
}

/** The newest first. */
export async function listImports(
  sql: Sql,
  { tenantId, beforeId, limit }: { tenantId: TenantId; beforeId: number; limit: number },
): Promise<Import[]> {
  const rows = await sql.rows<ImportRecord>(
    `SELECT ${columns} FROM imports WHERE tenant_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
    [tenantId, beforeId, limit],
  );
  return rows.map(toImport);
}

/** In order of their lines. */
export async function listImportErrors(
  sql: Sql,
  { tenantId, id }: ImportKey,
  { afterLine, limit }: { afterLine: number; limit: number },
): Promise<ImportError[]> {
  return sql.rows<ImportError>(
    `SELECT line, field, detail FROM import_errors
     WHERE tenant_id = ? AND import_id = ? AND line > ? ORDER BY line LIMIT ?`,
    [tenantId, id, afterLine, limit],
  );
}

/** The column holds the format and behind it the delimiter, when one was asked for: `csv;`. */
export function parseFormat(text: string): Pick<ImportSource, 'format' | 'delimiter'> {
  if (text === 'ndjson') return { format: 'ndjson' };
  return { format: 'csv', delimiter: csvDelimiters.find((delimiter) => text === `csv${delimiter}`) };
}

type ImportRecord = Omit<Import, 'format' | 'delimiter'> & { readonly format: string };

/** Rows are those of the try that runs, or ran last: `n_rows` may be further (`import-lease.ts`). */
const columns = `tenant_id AS tenantId, id, format, list_id AS listId, state, received_bytes AS receivedBytes,
  n_accepted + n_rejected AS \`rows\`, n_accepted AS accepted, n_rejected AS rejected, failure,
  created_at AS createdAt, finished_at AS finishedAt`;

function toImport(record: ImportRecord): Import {
  return { ...record, ...parseFormat(record.format) };
}
