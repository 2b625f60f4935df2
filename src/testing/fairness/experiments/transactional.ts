/** Transactional mail, a few a second, while a campaign of hundreds of thousands is going out over the same destination. */
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import type { Experiment, Findings } from '../experiment.ts';
import { percentile } from '../statistics.ts';
import { createDestination, createPeople, createPlatformTransport, createTenants } from '../tenants.ts';
import { withoutClasses } from '../without.ts';
import { distribution } from './neighbour.ts';

const floodMs = 3_000;
const replyMs = 20;
const everyMs = 200;
const lastTimeoutMs = 20_000;

export const transactional: Experiment = {
  name: 'transactional',
  question:
    'Transactional mail during a campaign flood over the same destination: is its p99 time to first attempt under 1 s?',
  mechanism: 'classes come before tenants, from the lanes to the wire',
  without: withoutClasses,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const { send } = await prepare(bench);
  await bench.startWorkers();
  // Compilers and caches are warm when the first that counts is sent.
  await send();
  await bench.pause(floodMs);
  const messages = bench.isControl ? 40 : bench.isQuick ? 60 : 150;
  const sentAt = new Map<number, number>();
  for (let i = 0; i < messages; i++) {
    const { campaignId, at } = await send();
    sentAt.set(campaignId, at);
    await bench.pause(Math.max(0, at + everyMs - Date.now()));
  }
  const times = await waitForTimes(bench, sentAt);
  const until = Date.now() - Math.min(...sentAt.values());
  return judge(times, messages, until);
}

async function prepare(bench: Bench) {
  const { tables, sink } = bench;
  await sink.setRules([{ stage: 'dot', action: { do: 'delay', ms: replyMs } }]);
  const transportId = await createPlatformTransport(tables, { port: sink.port });
  const destination = await createDestination(tables, transportId, { name: 'all', domain: 'example.com' });
  const [large, shop] = (await createTenants(tables, [{}, {}])) as [never, never];
  await createPeople(tables, [large, shop], [destination], 100);
  await createBacklogs(tables, [{ tenantId: large, destination, messages: 100_000 }]);
  return {
    async send() {
      const [campaign] = await createBacklogs(tables, [
        { tenantId: shop, destination, messages: 1, class: 0 },
      ]);
      // Its lane woke with the last of these statements.
      return { at: Date.now(), campaignId: campaign?.campaignId as number };
    },
  };
}

/** A message that has not come within the time counts as that long. */
async function waitForTimes(
  { sink, waitUntil }: Bench,
  sentAt: ReadonlyMap<number, number>,
): Promise<readonly number[]> {
  const read = async () => (await sink.taken()).filter(({ campaignId }) => sentAt.has(campaignId));
  const areAllHere = async () => (await read()).length >= sentAt.size;
  await waitUntil('the last transactional message', areAllHere, lastTimeoutMs).catch(() => undefined);
  const takenAt = new Map((await read()).map(({ campaignId, at }) => [campaignId, at]));
  return [...sentAt].map(([id, at]) => Math.max(0, (takenAt.get(id) ?? Date.now()) - at));
}

function judge(times: readonly number[], messages: number, tookMs: number): Findings {
  return {
    figures: [
      { name: 'p99 time to first attempt', value: percentile(times, 0.99), unit: 'ms', atMost: 1_000 },
      { name: 'median', value: percentile(times, 0.5), unit: 'ms' },
      { name: 'slowest', value: Math.max(...times), unit: 'ms' },
      { name: 'transactional messages', value: messages, unit: 'messages' },
      { name: 'took', value: tookMs / 1_000, unit: 's' },
    ],
    series: [distribution('transactional', times)],
  };
}
