/** Runs imports: claims one, reads its blocks, parses, writes batches, ends it. Hosted by the scheduler. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatId } from '../ids.ts';
import { composeLifecycle, type Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Database } from '../platform/mysql.ts';
import { createCsvReader } from './csv-rows.ts';
import { type BatchWriter, batchRows, createBatchWriter } from './import-batches.ts';
import { readBlocks } from './import-blocks.ts';
import { type ClaimedImport, claimImport, endImport, LeaseLost, releaseImport } from './import-lease.ts';
import { ImportFailure, type ImportRow, type RowReader } from './import-row.ts';
import { sweepImports } from './import-sweep.ts';
import { readText } from './import-text.ts';
import { createNdjsonReader } from './ndjson-rows.ts';

export interface ImportRunnerOptions {
  readonly db: Database;
  readonly log: Log;
  /** Keys the HMAC of addresses: the same in every process. */
  readonly addressKey: Buffer;
}

/**
 * Any number of them, in any number of processes. One runs up to two imports at once, of two tenants (`claimImport`): a
 * small file then need not wait for a huge one. Stopping gives both back, and the next runner starts them again from
 * their first lines.
 */
export function createImportRunner(options: ImportRunnerOptions): Lifecycle {
  return composeLifecycle([createRunLoop(options), createRunLoop(options)]);
}

/**
 * Claims an import and runs it to its end; false when none waits. What breaks on our side is thrown: the import then keeps
 * its lease for its last seconds, which spaces the tries, and goes to whoever claims it next.
 */
export async function runNextImport(options: ImportRunnerOptions, signal: AbortSignal): Promise<boolean> {
  const claimed = await claimImport(options.db);
  if (!claimed) return false;
  const log = options.log.child({
    tenantId: formatId('tenant', claimed.tenantId),
    importId: formatId('import', claimed.id),
  });
  log.info('import running');
  try {
    await readInto(createBatchWriter(options.db, claimed), { claimed, options, signal });
    await (signal.aborted ? releaseImport(options.db, claimed) : endImport(options.db, claimed));
    log.info(signal.aborted ? 'import given back' : 'import done');
  } catch (error) {
    if (error instanceof ImportFailure) await endImport(options.db, claimed, error.message);
    else if (!(error instanceof LeaseLost)) throw error;
    log.info({ reason: error.message }, 'import ended');
  }
  return true;
}

function createRunLoop(options: ImportRunnerOptions): Lifecycle {
  return createLoop({
    name: 'import-runner',
    log: options.log,
    idleMs: 500,
    pass: async (signal) => {
      const swept = await sweepImports(options.db);
      const ran = await runNextImport(options, signal);
      return swept > 0 || ran ? 'busy' : 'idle';
    },
  });
}

interface Run {
  readonly claimed: ClaimedImport;
  readonly options: ImportRunnerOptions;
  readonly signal: AbortSignal;
}

/** Returns early when stopped, with everything that was handed to the writer in or failed. */
async function readInto(writer: BatchWriter, run: Run): Promise<void> {
  const reader = createReader(run);
  let rows: ImportRow[] = [];
  const writeFull = async (least: number) => {
    while (rows.length >= least) {
      await writer.write(rows.slice(0, batchRows));
      rows = rows.slice(batchRows);
    }
  };
  for await (const text of readText(readBlocks(run.options.db, run.claimed))) {
    if (run.signal.aborted) return writer.drain();
    rows = rows.concat(reader.push(text));
    await writeFull(batchRows);
    // Parsing is synchronous and the waits above may be none: let the others have their turn.
    await nextTurn();
  }
  rows = rows.concat(reader.end());
  await writeFull(1);
  await writer.drain();
}

function createReader({ claimed, options: { addressKey } }: Run): RowReader {
  const { tenantId, format, delimiter } = claimed;
  return format === 'csv'
    ? createCsvReader({ tenantId, addressKey, delimiter })
    : createNdjsonReader({ tenantId, addressKey });
}
