import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CampaignId } from '../ids.ts';
import { counterSlots } from '../ledger/recount.ts';
import { systemClock } from '../platform/clock.ts';
import type { TestApi } from '../testing/test-api.ts';
import { silentLog } from '../testing/test-database.ts';
import { createShop, rowIdOf, type Shop, startCampaignApi } from './campaign-fixture.ts';
import { createProgressWatch } from './progress-watch.ts';

let api: TestApi;
let shop: Shop;
let now = 0;

beforeAll(async () => {
  api = await startCampaignApi({ watch: { everyMs: 5, mostFollowers: 3 } });
  shop = await createShop(api);
});
afterAll(() => api.stop());

async function createRunning(counts: Readonly<Record<string, number>> = {}): Promise<string> {
  const id = await shop.createIn('sending');
  const row = await rowIdOf(api, id);
  for (let slot = 0; slot < counterSlots; slot++) {
    await api.db.write('INSERT INTO campaign_counters (tenant_id, campaign_id, slot) VALUES (?, ?, ?)', [
      shop.tenantId,
      row,
      slot,
    ]);
  }
  await count(id, counts);
  return id;
}

/** Adds to two slots, so that they have to be summed, in one statement, as the ledger does. */
async function count(id: string, counts: Readonly<Record<string, number>>) {
  const states = Object.keys(counts);
  if (states.length === 0) return;
  const row = await rowIdOf(api, id);
  await api.db.write(
    `UPDATE campaign_counters SET ${states.map((state) => `n_${state} = n_${state} + IF(slot = 0, ?, 1)`).join(', ')}
     WHERE campaign_id = ? AND slot IN (0, 5)`,
    [...states.map((state) => (counts[state] ?? 0) - 1), row],
  );
}

async function finish(id: string, fields = "state = 'sent', expansion_done = 1") {
  await api.db.write(`UPDATE campaigns SET ${fields} WHERE id = ?`, [await rowIdOf(api, id)]);
}

interface Event {
  readonly event: string;
  readonly id: number;
  // biome-ignore lint/suspicious/noExplicitAny: the data of an event, as JSON says.
  readonly data: any;
}

interface OpenStream {
  readonly status: number;
  readonly headers: Headers;
  readonly next: () => Promise<Event | 'heartbeat' | 'end'>;
  readonly close: () => void;
}

async function openStream(id: string, tenant = shop): Promise<OpenStream> {
  const abort = new AbortController();
  const response = await fetch(`${api.url}/v1/campaigns/${id}/progress/stream`, {
    headers: { Authorization: `Bearer ${tenant.secret}` },
    signal: abort.signal,
  });
  const blocks = readBlocks(response.body as ReadableStream<Uint8Array>);
  return {
    status: response.status,
    headers: response.headers,
    close: () => abort.abort(),
    async next() {
      for (;;) {
        const { value, done } = await blocks.next();
        if (done) return 'end';
        if (value.startsWith('retry:')) continue;
        return value.startsWith(':') ? 'heartbeat' : parseEvent(value);
      }
    },
  };
}

async function* readBlocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      yield text.slice(0, at);
      text = text.slice(at + 2);
    }
  }
}

function parseEvent(block: string): Event {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  return { event: field('event'), id: Number(field('id')), data: JSON.parse(field('data')) };
}

test('progress is the sum of the counters, whatever the deliveries say', async () => {
  const id = await createRunning({ pending: 70, attempting: 5, sent: 20, bounced: 2, in_doubt: 3 });
  const { status, body } = await shop.get(`/v1/campaigns/${id}/progress`);
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      state: 'sending',
      paused: false,
      settling: false,
      total_is_final: false,
      recipients: {
        total: 100,
        pending: 70,
        attempting: 5,
        sent: 20,
        bounced: 2,
        in_doubt: 3,
        deferred: 0,
        expired: 0,
      },
      in_doubt: 3,
      rate_per_second: null,
      eta_seconds: null,
    },
  });
});

test('a draft has nothing to tell, and is no error', async () => {
  const { body } = await shop.get(`/v1/campaigns/${await shop.createDraft()}/progress`);
  expect(body).toMatchObject({
    state: 'draft',
    recipients: { total: 0 },
    started_at: null,
    finished_at: null,
  });
});

test('the rate comes of several looks, and the time left of the rate, once the total is final', async () => {
  const clock = { ...systemClock, monotonic: () => now };
  const watch = createProgressWatch({ db: api.db, clock, log: silentLog });
  const id = await createRunning({ pending: 900, sent: 100 });
  const key = { tenantId: shop.tenantId, id: (await rowIdOf(api, id)) as CampaignId };
  expect(await watch.look(key)).toMatchObject({ ratePerSecond: null, etaSeconds: null });
  await count(id, { sent: 100, pending: -100 });
  now += 2_000;
  expect(await watch.look(key)).toMatchObject({ ratePerSecond: 50, etaSeconds: null });
  await finish(id, 'expansion_done = 1');
  expect(await watch.look(key)).toMatchObject({ ratePerSecond: 50, etaSeconds: 16 });
  await finish(id, 'paused_at = NOW(3)');
  expect((await watch.look(key))?.etaSeconds).toBeNull();
  expect(await watch.look({ ...key, id: 1 as CampaignId })).toBeUndefined();
});

test('the stream tells what changes, and ends when all is settled', async () => {
  const id = await createRunning({ pending: 10 });
  const stream = await openStream(id);
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  expect(await stream.next()).toMatchObject({
    event: 'progress',
    id: 1,
    data: { recipients: { pending: 10 } },
  });
  await count(id, { sent: 4, pending: -4 });
  let event = await stream.next();
  // Rates may change before the counts do.
  while (typeof event !== 'string' && event.data.recipients.sent === 0) event = await stream.next();
  expect(event).toMatchObject({ event: 'progress', data: { recipients: { total: 10, sent: 4 } } });
  await finish(id, "state = 'cancelled', settling = 1");
  while (typeof event !== 'string' && !event.data.settling) event = await stream.next();
  expect(event).toMatchObject({ event: 'progress', data: { state: 'cancelled', settling: true } });
  await finish(id, 'settling = 0');
  while (typeof event !== 'string' && event.event !== 'done') event = await stream.next();
  expect(event).toMatchObject({ event: 'done', data: { state: 'cancelled', settling: false } });
  expect(await stream.next()).toBe('end');
});

test('a campaign that is over is done at once', async () => {
  const stream = await openStream(await shop.createIn('sent'));
  expect(await stream.next()).toMatchObject({ event: 'done', id: 1, data: { state: 'sent' } });
  expect(await stream.next()).toBe('end');
});

test('a stream on which nothing happens shows that it lives', async () => {
  const stream = await openStream(await shop.createDraft());
  let seen = await stream.next();
  // The first rates are null, then 0: that is a change.
  while (seen !== 'heartbeat') seen = await stream.next();
  stream.close();
});

test('followers of a campaign share its polls, and leave none behind', async () => {
  const id = await createRunning({ pending: 5 });
  const key = { tenantId: shop.tenantId, id: (await rowIdOf(api, id)) as CampaignId };
  let polls = 0;
  const first = (...call: Parameters<typeof api.db.first>) => {
    polls++;
    return api.db.first(...call);
  };
  const db = { ...api.db, first } as typeof api.db;
  const watch = createProgressWatch({
    db,
    clock: systemClock,
    log: silentLog,
    everyMs: 20,
  });
  const aborts = Array.from({ length: 50 }, () => new AbortController());
  const followers = aborts.map((abort) => watch.follow(key, abort.signal));
  await Promise.all(followers.map((follower) => follower.next()));
  const atFirst = polls;
  for (let round = 0; round < 5; round++) await Promise.all(followers.map((follower) => follower.next()));
  expect([atFirst, polls - atFirst]).toEqual([50, 5]);
  const waiting = followers.map((follower) => follower.next());
  for (const abort of aborts) abort.abort();
  expect((await Promise.all(waiting)).every(({ done }) => done)).toBe(true);
});

test('a poll that fails is passed over; a campaign that is deleted ends the stream', async () => {
  const id = await shop.createDraft();
  const key = { tenantId: shop.tenantId, id: (await rowIdOf(api, id)) as CampaignId };
  const lines: string[] = [];
  const log = pino(new Writable({ write: (line, _, done) => done(void lines.push(String(line))) }));
  let isBroken = false;
  const first = (...call: Parameters<typeof api.db.first>) =>
    isBroken ? Promise.reject(new Error('the database is away')) : api.db.first(...call);
  const db = { ...api.db, first } as typeof api.db;
  const watch = createProgressWatch({ db, clock: systemClock, log, everyMs: 1 });
  const follower = watch.follow(key, new AbortController().signal);
  await follower.next();
  isBroken = true;
  expect(await follower.next()).toEqual({ done: false, value: undefined });
  expect(lines.join('')).toContain('progress not read');
  isBroken = false;
  expect((await follower.next()).value?.progress.state).toBe('draft');
  await shop.delete(`/v1/campaigns/${id}`);
  expect(await follower.next()).toEqual({ done: true, value: undefined });
});

test('one tenant’s streams leave room for another’s', async () => {
  const id = await shop.createDraft();
  const key = { tenantId: shop.tenantId, id: (await rowIdOf(api, id)) as CampaignId };
  const watch = createProgressWatch({
    ...{ db: api.db, clock: systemClock, log: silentLog, everyMs: 1 },
    ...{ mostFollowers: 2, mostFollowersPerTenant: 1 },
  });
  const abort = new AbortController();
  const follower = watch.follow(key, abort.signal);
  await follower.next();
  expect(() => watch.admit(shop.tenantId)).toThrow('At most 1 streams');
  watch.admit((shop.tenantId + 1) as typeof shop.tenantId);
  abort.abort();
  while (!(await follower.next()).done);
  watch.admit(shop.tenantId);
});

test('only so many may follow; who leaves makes room', async () => {
  const id = await shop.createDraft();
  const streams = await Promise.all([openStream(id), openStream(id), openStream(id)]);
  await Promise.all(streams.map((stream) => stream.next()));
  const refused = await shop.get(`/v1/campaigns/${id}/progress/stream`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
  for (const stream of streams) stream.close();
  let again = await openStream(id);
  // The server hears of the closed connections in its own time.
  while (again.status === 429) again = await openStream(id);
  again.close();
});

test('a server that stops ends its streams', async () => {
  const own = await startCampaignApi({ watch: { everyMs: 5 } });
  try {
    const owner = await createShop(own);
    const id = await owner.createDraft();
    const response = await fetch(`${own.url}/v1/campaigns/${id}/progress/stream`, {
      headers: { Authorization: `Bearer ${owner.secret}` },
    });
    const blocks = readBlocks(response.body as ReadableStream<Uint8Array>);
    await blocks.next();
    await blocks.next();
    const stopping = own.server.stop();
    for await (const _ of blocks);
    await stopping;
  } finally {
    await own.stop();
  }
});
