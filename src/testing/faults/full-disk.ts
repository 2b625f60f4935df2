/**
 * A full disk without a disk of one's own: the server's files may not grow any more (RLIMIT_FSIZE), which takes no rights and can be undone while it runs.
 * The ledger's deliveries are made its largest file first, so that the limit stops them and no other: on a real disk, logs have their place too.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { partOf } from '../../ledger/partitions.ts';
import type { Database } from '../../platform/mysql.ts';
import type { Installation } from './installation.ts';

/** Of nobody: no experiment counts its rows. They stay, and the next time there is less to do. */
const ballastTenant = 1;
const rowsAtOnce = 4_000;
const reason = 'x'.repeat(240);
/** MariaDB and MySQL: the table is full; the disk is. */
const fullErrors = [1114, 1021];

/** What can be done before there is load. */
export async function prepareFullDisk({ db, folder }: Installation): Promise<void> {
  while (!isLedgerLargest(folder)) await growLedger(db);
}

/** When it resolves, the ledger takes no more rows. */
export async function fillDisk({ db, mysql, folder }: Installation): Promise<void> {
  limitFiles(mysql.pid, String(Math.max(...readSizes(folder).values())));
  // What the file has left inside.
  for (;;) {
    try {
      await growLedger(db, 500);
    } catch (error) {
      if (fullErrors.includes((error as { errno?: number }).errno ?? 0)) return;
      throw error;
    }
  }
}

export function freeDisk({ mysql }: Installation): void {
  limitFiles(mysql.pid, 'unlimited');
}

/** The soft limit only: the hard one could not be raised again. */
function limitFiles(pid: number | undefined, bytes: string): void {
  if (pid === undefined) throw new Error('MySQL does not run');
  execFileSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`]);
}

function isLedgerLargest(folder: string): boolean {
  const sizes = readSizes(folder);
  const ledger = [...sizes].filter(([file]) => file.includes('deliveries#'));
  return Math.max(...ledger.map(([, size]) => size)) === Math.max(...sizes.values());
}

function readSizes(folder: string): ReadonlyMap<string, number> {
  const data = join(folder, 'mysql');
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' });
  return new Map(
    files.map((file) => [file, statSync(join(data, file), { throwIfNoEntry: false })?.size ?? 0]),
  );
}

let ballast = 0;

async function growLedger(db: Database, rows = rowsAtOnce): Promise<void> {
  const campaign = Date.now() * 1_000 + (ballast++ % 1_000);
  const part = partOf(Date.now());
  await db.write(
    `INSERT INTO deliveries (tenant_id, campaign_id, chunk_no, seq, part, profile_id, address_hash, state, reason) VALUES ?`,
    [
      Array.from({ length: rows }, (_, seq) => [
        ballastTenant,
        campaign,
        0,
        seq,
        part,
        0,
        Buffer.alloc(16),
        2,
        reason,
      ]),
    ],
  );
}
