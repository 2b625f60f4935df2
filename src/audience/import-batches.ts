/** Rows of a file into the database, in batches: each one transaction with its members, its errors and its counts. */
import type { Database, Sql } from '../platform/mysql.ts';
import { type ClaimedImport, recordBatch } from './import-lease.ts';
import type { ImportRow } from './import-row.ts';
import { addMembersByHash } from './list-members.ts';
import type { ProfilePatch } from './profile.ts';
import { maxHashesPerStatement, saveProfiles } from './profile-upsert.ts';

/** Also the most rows that one event-loop turn turns into SQL: some 5 ms. */
export const batchRows = maxHashesPerStatement;
/** All are counted; of a file that is wrong throughout nobody reads more than this. */
export const maxStoredErrors = 10_000;

export interface BatchWriter {
  /** Resolves when there is room for the next batch, not when this one is in. Rejects when an earlier one failed. */
  write(rows: readonly ImportRow[]): Promise<void>;
  /** Resolves when all are in. */
  drain(): Promise<void>;
}

const maxOnTheWay = 2;

interface Batch {
  readonly hashes: ReadonlySet<string>;
  /** Never rejects. */
  readonly written: Promise<void>;
}

type Profiles = readonly Extract<ImportRow, { kind: 'profile' }>[];
type Rejected = Extract<ImportRow, { kind: 'rejected' }>;

/**
 * Two batches are on their way while the next is parsed. Two that hold the same address follow one another, so that its
 * rows apply in the order of the file.
 */
export function createBatchWriter(db: Database, claimed: ClaimedImport): BatchWriter {
  let onTheWay: readonly Batch[] = [];
  let failure: unknown;
  let storedErrors = 0;

  async function write(rows: readonly ImportRow[]): Promise<void> {
    const hashes = hashesOf(rows);
    if (onTheWay.some((batch) => hasCommon(hashes, batch.hashes))) await drain();
    else if (onTheWay.length === maxOnTheWay) await onTheWay[0]?.written;
    if (failure) throw failure;
    const written = writeBatch(rows)
      .catch((error) => {
        failure ??= error;
      })
      .finally(() => {
        onTheWay = onTheWay.filter((batch) => batch.written !== written);
      });
    onTheWay = [...onTheWay, { hashes, written }];
  }

  async function writeBatch(rows: readonly ImportRow[]): Promise<void> {
    const profiles: Profiles = rows.filter((row) => row.kind === 'profile');
    const rejected = rows.filter((row) => row.kind === 'rejected');
    const patches = profiles.map((row) => row.patch);
    const kept = takeRoom(rejected);
    await saveProfiles(db, { tenantId: claimed.tenantId, patches }, async (tx, saved) => {
      const oversized = saved.length === patches.length ? [] : findOversized(profiles, saved);
      await joinList(tx, claimed, saved);
      await insertErrors(tx, claimed, [...kept, ...takeRoom(oversized)]);
      const accepted = saved.length;
      await recordBatch(tx, claimed, { accepted, rejected: rejected.length + oversized.length });
    });
  }

  /** Before the write and not after it: two batches are on their way, and the room is for both. */
  function takeRoom(errors: readonly Rejected[]): readonly Rejected[] {
    const kept = errors.slice(0, maxStoredErrors - storedErrors);
    storedErrors += kept.length;
    return kept;
  }

  async function drain(): Promise<void> {
    await Promise.all(onTheWay.map((batch) => batch.written));
    if (failure) throw failure;
  }

  return { write, drain };
}

function hashesOf(rows: readonly ImportRow[]): Set<string> {
  const hashes = new Set<string>();
  for (const row of rows) if (row.kind === 'profile') hashes.add(row.patch.hexHash);
  return hashes;
}

function hasCommon(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const hash of some) if (others.has(hash)) return true;
  return false;
}

function findOversized(profiles: Profiles, saved: readonly ProfilePatch[]): Rejected[] {
  const hashes = new Set(saved.map((patch) => patch.hexHash));
  return profiles
    .filter((row) => !hashes.has(row.patch.hexHash))
    .map(({ line }) => ({ kind: 'rejected', line, detail: 'would give the profile too many attributes' }));
}

async function joinList(tx: Sql, { tenantId, listId }: ClaimedImport, saved: readonly ProfilePatch[]) {
  if (listId === null) return;
  const hashes = saved.map((patch) => patch.hexHash);
  await addMembersByHash(tx, { tenantId, id: listId }, hashes);
}

async function insertErrors(tx: Sql, { tenantId, id }: ClaimedImport, errors: readonly Rejected[]) {
  if (errors.length === 0) return;
  const rows = errors.map((error) => [
    tenantId,
    id,
    error.line,
    error.field?.slice(0, 64) ?? null,
    error.detail.slice(0, 500),
  ]);
  await tx.write('INSERT INTO import_errors (tenant_id, import_id, line, field, detail) VALUES ?', [rows]);
}
