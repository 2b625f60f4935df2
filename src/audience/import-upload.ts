/** Receiving a file: from the request's stream into blocks, at the pace of the database. */
import type { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import type { Database } from '../platform/mysql.ts';
import { appendBlock, blockBytes } from './import-blocks.ts';
import { failUpload, type ImportKey, submitImport } from './import-store.ts';

export interface Upload {
  readonly key: ImportKey;
  /** Errs when the client breaks off or sends more than the server takes. */
  readonly raw: Readable;
}

/**
 * Stores all of `raw` and hands the import over to the runners. Nothing of it is visible before the last byte: a client
 * that breaks off leaves a failed import. If we die here, the upload's lease runs out and the sweeper fails it.
 */
export async function receiveUpload(db: Database, upload: Upload): Promise<void> {
  try {
    await storeBlocks(db, upload);
  } catch (error) {
    if (error instanceof AppError) await failUpload(db, upload.key, error.message);
    throw error;
  }
  if (!(await submitImport(db, upload.key))) throw endedMeanwhile();
}

async function storeBlocks(db: Database, { key, raw }: Upload): Promise<void> {
  let number = 0;
  for await (const data of cutBlocks(raw)) {
    if (!(await appendBlock(db, key, { number, data }))) throw endedMeanwhile();
    number++;
  }
  if (number === 0) throw new AppError('malformed_body', { detail: 'The body is empty' });
}

async function* cutBlocks(raw: Readable): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readChunks(raw)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < blockBytes) continue;
    yield Buffer.concat(chunks);
    chunks = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(chunks);
}

/**
 * A stream that breaks off is the client's going away. Nobody reads the answer; `unavailable`, because that one is not kept
 * under the Idempotency-Key: the same upload may come again.
 */
async function* readChunks(raw: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of raw) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof AppError && error.code === 'payload_too_large') throw error;
    throw new AppError('unavailable', { detail: 'The upload broke off before its end', cause: error });
  }
}

function endedMeanwhile(): AppError {
  return new AppError('conflict', { detail: 'The import was cancelled while it was received' });
}
