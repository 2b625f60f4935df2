/** `/v1/imports`: files of profiles, taken in as a job. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { readContentType } from '../http/body.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idParam, pageOf, pageQuery } from '../http/schemas.ts';
import { formatId, newId, type TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';
import { conflictOut, importOut, showImport } from './audience-schemas.ts';
import { type CsvDelimiter, csvDelimiters } from './csv-header.ts';
import { importFormats } from './import-state.ts';
import {
  cancelImport,
  findImport,
  type Import,
  type ImportKey,
  type ImportSource,
  insertImport,
  listImportErrors,
  listImports,
} from './import-store.ts';
import { receiveUpload } from './import-upload.ts';
import { findList } from './list-store.ts';

export interface ImportRoutesOptions {
  readonly db: Database;
}

export function importRoutes({ db }: ImportRoutesOptions): Route[] {
  return [startRoute(db), listRoute(db), getRoute(db), errorsRoute(db), cancelRoute(db)];
}

const tag = 'Imports';
const params = z.strictObject({ import_id: idParam('import') });
const contentTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
const delimiterNames = ['comma', 'semicolon', 'tab', 'pipe'] as const;

const importErrorOut = z.object({
  line: z.number().int().meta({ description: 'Line of the file where the row begins, from 1' }),
  field: z
    .string()
    .nullable()
    .meta({ description: 'Column, or JSON pointer; null when the whole row is wrong' }),
  detail: z.string(),
});

const startQuery = z.strictObject({
  format: z.enum(importFormats),
  list_id: idParam('list').optional().meta({ description: 'The list that all of them join' }),
  delimiter: z
    .enum(delimiterNames)
    .optional()
    .meta({ description: 'Of the columns of a CSV; without it found from the first line' }),
});

function startRoute(db: Database): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/imports',
    operationId: 'startImport',
    summary: 'Import a file of profiles',
    description:
      'CSV: UTF-8, the first line names the columns; `email` is needed, `phone` and `time_zone` are fields, all others ' +
      'become text attributes, and an empty cell is absent. NDJSON: on each line what `POST /v1/profiles` takes. ' +
      'Rows with errors are reported and the others go in. Under one Idempotency-Key, files are told apart by their ' +
      'Content-Length and, where you send it, Content-Digest (RFC 9530).',
    tag,
    access: 'profiles:write',
    idempotent: true,
    query: startQuery,
    rawBody: Object.values(contentTypes),
    responses: {
      202: {
        description: 'Received; follow it under Location',
        schema: importOut,
        headers: { Location: 'The import' },
      },
    },
    async handle({ tenantId, query, headers, raw }) {
      const source = toSource(query);
      await assertSource(db, { tenantId, source, headers });
      const id = await insertWithNewId(
        () => newId('import'),
        (id) => insertImport(db, { tenantId, id }, source),
      );
      const key = { tenantId, id: id };
      await receiveUpload(db, { key, raw });
      return json(202, showImport(await getImport(db, key)), {
        Location: `/v1/imports/${formatId('import', id)}`,
      });
    },
  });
}

function toSource({ format, list_id: listId, delimiter }: z.output<typeof startQuery>): ImportSource {
  return {
    format,
    listId: listId ?? null,
    delimiter: delimiter && (csvDelimiters[delimiterNames.indexOf(delimiter)] as CsvDelimiter),
  };
}

interface StartCheck {
  readonly tenantId: TenantId;
  readonly source: ImportSource;
  readonly headers: { readonly 'content-type'?: string | undefined };
}

/** What can be refused before the first byte is read. */
async function assertSource(db: Database, { tenantId, source, headers }: StartCheck): Promise<void> {
  const { format, delimiter, listId } = source;
  if (readContentType(headers['content-type'])[0] !== contentTypes[format]) {
    throw new AppError('unsupported_media_type', {
      detail: `A file of format ${format} is ${contentTypes[format]}`,
    });
  }
  if (delimiter && format !== 'csv') throw invalidQuery('delimiter', 'is for CSV only');
  if (listId !== null && !(await findList(db, { tenantId, id: listId }))) {
    throw invalidQuery('list_id', 'There is no such list');
  }
}

function invalidQuery(parameter: string, detail: string): AppError {
  return new AppError('invalid_query', { errors: [{ parameter, detail }] });
}

function listRoute(db: Database): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/imports',
    operationId: 'listImports',
    summary: 'List imports, the newest first',
    tag,
    access: 'profiles:read',
    query: pageQuery,
    responses: { 200: { description: 'A page of imports', schema: pageOf(importOut) } },
    async handle({ tenantId, query: { cursor, page_size: size } }) {
      const [beforeId] = decodeCursor(cursor, z.number().int().min(0)) ?? [Number.MAX_SAFE_INTEGER];
      const rows = await listImports(db, { tenantId, beforeId, limit: size + 1 });
      return json(200, toPage(rows, size, { item: showImport, position: (row) => [row.id] }));
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/imports/{import_id}',
    operationId: 'getImport',
    summary: 'Get an import: its state and its counts so far',
    tag,
    access: 'profiles:read',
    params,
    responses: { 200: { description: 'The import', schema: importOut } },
    async handle({ tenantId, params: { import_id: id } }) {
      return json(200, showImport(await getImport(db, { tenantId, id: id })));
    },
  });
}

function errorsRoute(db: Database): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/imports/{import_id}/errors',
    operationId: 'listImportErrors',
    summary: 'List the rows that were rejected',
    description: 'The first 10,000 are kept; all are counted.',
    tag,
    access: 'profiles:read',
    params,
    query: pageQuery,
    responses: { 200: { description: 'A page of errors, by line', schema: pageOf(importErrorOut) } },
    async handle({ tenantId, params: { import_id: id }, query: { cursor, page_size: size } }) {
      const key = { tenantId, id: id };
      const [afterLine] = decodeCursor(cursor, z.number().int().min(0)) ?? [0];
      await getImport(db, key);
      const rows = await listImportErrors(db, key, { afterLine, limit: size + 1 });
      return json(200, toPage(rows, size, { item: (row) => row, position: (row) => [row.line] }));
    },
  });
}

function cancelRoute(db: Database): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/imports/{import_id}/cancel',
    operationId: 'cancelImport',
    summary: 'Cancel an import',
    description: 'Rows that are in stay in. 409 when it has ended.',
    tag,
    access: 'profiles:write',
    params,
    responses: {
      200: { description: 'The cancelled import', schema: importOut },
      409: conflictOut('The import has ended'),
    },
    async handle({ tenantId, params: { import_id: id } }) {
      const key = { tenantId, id: id };
      const isCancelled = await cancelImport(db, key);
      const item = await getImport(db, key);
      if (!isCancelled && item.state !== 'cancelled') {
        throw new AppError('conflict', { detail: `The import is ${item.state}` });
      }
      return json(200, showImport(item));
    },
  });
}

async function getImport(db: Database, key: ImportKey): Promise<Import> {
  const item = await findImport(db, key);
  if (!item) throw new AppError('not_found', { detail: 'There is no such import' });
  return item;
}
