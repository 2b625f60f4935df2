/** A tenant with a million pending, and one with a hundred: how long does the hundred take, alone and beside the million? */
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import type { Experiment, Findings } from '../experiment.ts';
import { pauseCampaign, resumeCampaign } from '../pausing.ts';
import { createList, type Launched, launchCampaign, waitUntilSent } from '../small-campaign.ts';
import { percentile } from '../statistics.ts';
import { createDestination, createPeople, createPlatformTransport, createTenants } from '../tenants.ts';
import { withoutTurns } from '../without.ts';

const recipients = 100;
/** Starved is late enough: what has not come by then counts as come now. */
const sentTimeoutMs = 25_000;
/** The whale has filled what it may before a small campaign comes. */
const floodMs = 3_000;
/** Of the sink: ten connections take some 500 messages a second. */
const replyMs = 20;

export const neighbour: Experiment = {
  name: 'neighbour',
  question:
    'A tenant has 1,000,000 pending, another sends 100 over the same destination: is its p95 time to first attempt at most twice that alone?',
  mechanism: 'lanes are served in turn',
  without: withoutTurns,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const { small, launch, whale, pending } = await prepare(bench);
  const pairs = bench.isControl ? 1 : bench.isQuick ? 3 : 6;
  const alone: Launched[] = [];
  const beside: Launched[] = [];
  await bench.startWorkers();
  // Warms caches and compilers: not measured.
  await waitUntilSent(bench, small, (await launch()).campaignId, sentTimeoutMs);
  for (let pair = 0; pair < pairs; pair++) {
    alone.push(await launchAndWait());
    await resumeCampaign(bench, whale);
    await bench.pause(floodMs);
    beside.push(await launchAndWait());
    await pauseCampaign(bench, whale);
  }
  return judge(pending, await timesOf(bench, alone), await timesOf(bench, beside));

  async function launchAndWait(): Promise<Launched> {
    const launched = await launch();
    await waitUntilSent(bench, small, launched.campaignId, sentTimeoutMs).catch(() => undefined);
    return launched;
  }
}

async function prepare(bench: Bench) {
  const { tables, sink } = bench;
  await sink.setRules([{ stage: 'dot', action: { do: 'delay', ms: replyMs } }]);
  const transportId = await createPlatformTransport(tables, { port: sink.port });
  const destination = await createDestination(tables, transportId, { name: 'all', domain: 'example.com' });
  const [large, small] = (await createTenants(tables, [{}, {}])) as [never, never];
  await createPeople(tables, [large], [destination], 500);
  const listId = await createList(tables, small, 'example.com', recipients);
  const pending = bench.isControl || bench.isQuick ? 100_000 : 1_000_000;
  const [whale] = (await createBacklogs(tables, [{ tenantId: large, destination, messages: pending }])) as [
    never,
  ];
  await pauseCampaign(bench, whale);
  const launch = () => launchCampaign(tables, { tenantId: small, listId, transportId });
  return { small, launch, whale, pending };
}

/** ms from due to taken, of each message of these campaigns; those that have not come count as come now. */
async function timesOf({ sink }: Bench, launched: readonly Launched[]): Promise<readonly number[]> {
  const taken = await sink.taken();
  const now = Date.now();
  return launched.flatMap(({ campaignId, dueAt }) => {
    const times = taken.filter((one) => one.campaignId === campaignId).map(({ at }) => at - dueAt);
    const missing = Array.from({ length: recipients - times.length }, () => now - dueAt);
    return [...times, ...missing];
  });
}

function judge(pending: number, alone: readonly number[], beside: readonly number[]): Findings {
  const aloneMs = percentile(alone, 0.95);
  const besideMs = percentile(beside, 0.95);
  return {
    figures: [
      { name: 'p95 beside it / p95 alone', value: besideMs / aloneMs, unit: 'times', atMost: 2 },
      { name: 'p95 alone', value: aloneMs, unit: 'ms' },
      { name: 'p95 beside it', value: besideMs, unit: 'ms' },
      { name: 'median alone', value: percentile(alone, 0.5), unit: 'ms' },
      { name: 'median beside it', value: percentile(beside, 0.5), unit: 'ms' },
      { name: 'messages pending next door', value: pending, unit: 'messages' },
    ],
    series: [distribution('alone', alone), distribution('beside a whale', beside)],
  };
}

/** The share of messages (y) that had left after so many ms (x). */
export function distribution(name: string, times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const points = sorted.map((ms, i): [number, number] => [ms, (i + 1) / sorted.length]);
  return { name, unit: 'share of messages', points };
}
