import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { emptyLedger, takeOver } from '../../ledger/crash-fixture.ts';
import type { Grant } from '../../ledger/grant.ts';
import { systemClock } from '../../platform/clock.ts';
import { createMetrics } from '../../platform/metrics.ts';
import type { GrantJob } from '../../queues/jobs.ts';
import { createTestDatabase, silentLog, type TestDatabase } from '../../testing/test-database.ts';
import { createTestLedger, dispatchChunk, expireLease, readChunk } from '../../testing/test-ledger.ts';
import type { PreparedMessage } from './campaign-messages.ts';
import { createRenderMetrics } from './render-metrics.ts';
import type { RecipientRenderer } from './render-recipients.ts';
import { RenderStage } from './render-stage.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => emptyLedger(database.db));
afterAll(() => database.drop());

const gone = () => Promise.reject(new Error('gone'));
const prepared: PreparedMessage = {
  ...{ kind: 'broken', reason: 'not compiled' },
  ...{ digest: '0'.repeat(64), segments: Buffer.alloc(0) },
};

interface Parts {
  prepare(): Promise<PreparedMessage>;
  renderAll(): Promise<Awaited<ReturnType<RecipientRenderer['renderAll']>>>;
  put(grant: Grant): Promise<void>;
}

/** A stage whose parts do nothing, or what the test says. */
function stageOf(parts: Partial<Parts>, sent: GrantJob[] = []): RenderStage {
  return new RenderStage({
    ...{ db: database.db, log: silentLog, clock: systemClock, owner: 'renderer', leaseMs: 30_000 },
    messages: { prepare: parts.prepare ?? (async () => prepared) },
    store: {
      put: parts.put ?? (async () => undefined),
      take: async () => null,
      getSegments: async () => null,
      drop: async () => undefined,
    },
    sendQueue: {
      start: async () => undefined,
      stop: async () => undefined,
      enqueue: async (jobs) => void sent.push(...jobs),
    },
    renderer: {
      renderAll: parts.renderAll ?? (async () => ({ rendered: [], skipped: [] })),
    } as unknown as RecipientRenderer,
    metrics: createRenderMetrics(createMetrics('test')),
  });
}

const jobOf = (...grants: readonly Grant[]): GrantJob => ({
  ...{ class: 'campaign', destinationId: 7, transportId: 1 },
  grants,
});

test.each<[string, Partial<Parts>]>([
  ['the message can’t be read', { prepare: gone }],
  ['rendering throws', { renderAll: gone }],
  ['its messages can’t be put away', { put: gone }],
])('%s, time and again: nobody died, so it is no poison', async (_, parts) => {
  const { db } = database;
  const ledger = await createTestLedger(db, { size: 1 });
  for (let i = 0; i < 5; i++) {
    const grant = await dispatchChunk(db, ledger);
    await expect(stageOf(parts).work(jobOf(grant))).rejects.toThrow('gone');
    expect(await readChunk(db, grant)).toMatchObject({ owner: null });
    await expireLease(db, grant);
    expect(await takeOver(db)).toHaveLength(1);
  }
  expect(await readChunk(db, ledger.key())).toMatchObject({ crashes: 0 });
});

test('a renderer that dies in the midst has left its name there', async () => {
  const { db } = database;
  const grant = await dispatchChunk(db, await createTestLedger(db));
  await new Promise<void>((begun) => {
    const renderAll = () => {
      begun();
      return new Promise<never>(() => {});
    };
    void stageOf({ renderAll }).work(jobOf(grant));
  });
  await expireLease(db, grant);
  await takeOver(db);
  expect(await readChunk(db, grant)).toMatchObject({ crashes: 1 });
});

test('a grant that fails keeps no other of its job from being sent', async () => {
  const { db } = database;
  const ledger = await createTestLedger(db, { chunks: 3 });
  const grants = [0, 1, 2].map((chunkNo) => dispatchChunk(db, ledger, chunkNo));
  const [first, second, third] = (await Promise.all(grants)) as [Grant, Grant, Grant];
  const sent: GrantJob[] = [];
  const put = async ({ chunkNo }: Grant) => (chunkNo === 1 ? gone() : undefined);
  await stageOf({ put }, sent).work(jobOf(first, second, third));
  expect(sent.flatMap((job) => job.grants.map(({ chunkNo }) => chunkNo))).toEqual([0, 2]);
  expect(await readChunk(db, second)).toMatchObject({ owner: null });
});
