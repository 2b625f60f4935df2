/**
 * What the ledger costs a message: S3 (intents) and S4 (outcomes) in groups of several sizes, with their commits, and S5 (the end of a grant). Run after `npm run build`:
 *
 *   DATABASE_URL=... node dist/load-tests/bench/record.js [--quick]
 *
 * Time is what a lone writer waits, flush to disk included; group commit shares that among all that wait. CPU is this process's alone.
 */
import { endGrant } from '../../src/ledger/end-grant.ts';
import type { Grant } from '../../src/ledger/grant.ts';
import { largestIntent, recordIntent } from '../../src/ledger/intent.ts';
import { type Result, recordResults } from '../../src/ledger/outcome.ts';
import type { Database } from '../../src/platform/mysql.ts';
import { createTestDatabase } from '../../src/testing/test-database.ts';
import { createTestLedger, leaseChunk, type TestLedger } from '../../src/testing/test-ledger.ts';
import { formatCost, isQuick } from './stopwatch.ts';

const size = 500;
const owner = 'bench';
const chunksOfEach = isQuick ? 4 : 20;
const shapes = [
  { rows: 8, works: 1 },
  { rows: largestIntent, works: 1 },
  { rows: largestIntent, works: 4 },
];

const { db, drop } = await createTestDatabase();
try {
  for (const shape of shapes) {
    const ledger = await createTestLedger(db, { chunks: chunksOfEach + 1, size });
    await measureShape(ledger, shape);
  }
} finally {
  await drop();
}
process.exit(0);

interface Shape {
  readonly rows: number;
  /** Works that share a transaction, as group commit does. */
  readonly works: number;
}

async function measureShape(ledger: TestLedger, shape: Shape): Promise<void> {
  const spent = new Map<string, { wall: number; cpu: number }>();
  for (let chunkNo = 0; chunkNo <= chunksOfEach; chunkNo++) {
    const grant = await leaseChunk(db, ledger, owner, chunkNo);
    // The first finds cold caches.
    await recordChunk(db, grant, shape, chunkNo === 0 ? new Map() : spent);
  }
  const messages = chunksOfEach * size;
  for (const [name, { wall, cpu }] of spent)
    process.stdout.write(
      formatCost(
        `${name}, ${shape.rows} rows x ${shape.works} a commit, by message`,
        wall / messages,
        cpu / messages,
      ),
    );
}

type Spent = Map<string, { wall: number; cpu: number }>;

async function recordChunk(on: Database, grant: Grant, shape: Shape, spent: Spent): Promise<void> {
  const groups = groupsOf(shape.rows);
  for (let at = 0; at < groups.length; at += shape.works) {
    const works = groups.slice(at, at + shape.works);
    await timed('S3 intents', spent, () =>
      on.transaction(async (tx) => {
        for (const seqs of works) await recordIntent(tx, { grant, owner, seqs, includedLists: [] });
      }),
    );
    await timed('S4 outcomes', spent, () =>
      on.transaction(async (tx) => {
        for (const seqs of works) await recordResults(tx, grant, seqs.map(sent));
      }),
    );
  }
  await timed('S5 end', spent, () => endGrant(on, grant, { owner, rules: { retryStepMs: 30_000 } }));
}

function sent(seq: number): Result {
  return { seq, state: 'sent', replyCode: 250, reason: null };
}

function groupsOf(rows: number): readonly number[][] {
  const seqs = Array.from({ length: size }, (_, seq) => seq);
  return Array.from({ length: Math.ceil(size / rows) }, (_, n) => seqs.slice(n * rows, (n + 1) * rows));
}

async function timed(name: string, spent: Spent, work: () => Promise<unknown>): Promise<void> {
  const before = spent.get(name) ?? { wall: 0, cpu: 0 };
  const startedAt = performance.now();
  const cpuAtStart = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpuAtStart);
  spent.set(name, {
    wall: before.wall + (performance.now() - startedAt) * 1000,
    cpu: before.cpu + user + system,
  });
}
