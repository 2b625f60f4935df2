/** A thousand tenants whose sizes follow Zipf's law want one destination of limited rate: who is served how much, and who waits how long? */

import type { TenantId } from '../../../ids.ts';
import type { Bench } from '../bench.ts';
import { createBacklogs } from '../bulk-ledger.ts';
import type { Experiment, Findings, Series } from '../experiment.ts';
import type { Taken } from '../sink-process.ts';
import { jainIndex, sumOf } from '../statistics.ts';
import { createDestination, createPeople, createPlatformTransport, createTenants } from '../tenants.ts';
import { withoutTurns } from '../without.ts';

const perSecond = 500;
/** As learn-window.ts has it: three seconds of the rate. */
const windowMessages = 3 * perSecond;
const weights = [100, 200, 300] as const;
/** The period ends when so few tenants still have a backlog. */
const fewestBacklogged = 20;
const longestMs = 90_000;

export const zipf: Experiment = {
  name: 'zipf',
  question:
    '1,000 tenants of Zipf-distributed sizes share a destination: are those with a backlog served in proportion to their weight, and does nobody wait longer than the bound?',
  mechanism: 'weighted fair queueing over the tenants of a destination',
  without: withoutTurns,
  run,
};

interface Member {
  readonly tenantId: TenantId;
  readonly weight: number;
  readonly size: number;
}

async function run(bench: Bench): Promise<Findings> {
  const members = await prepare(bench);
  const start = Date.now();
  await bench.startWorkers();
  const isContended = async () => backlogged(members, await bench.sink.taken()).length > fewestBacklogged;
  const end = async () => !(await isContended());
  const timeoutMs = bench.isControl ? 30_000 : longestMs;
  // Without fairness the period may not end: what was seen by then is judged.
  await bench.waitUntil('the small ones to be done', end, timeoutMs).catch(() => undefined);
  return judge(members, await bench.sink.taken(), start);
}

async function prepare({ tables, sink, isQuick }: Bench): Promise<readonly Member[]> {
  const [tenants, largest] = isQuick ? [300, 3_000] : [1_000, 5_000];
  const wishes = Array.from({ length: tenants }, (_, i) => ({
    weight: weights[i % weights.length] as number,
    size: Math.max(2, Math.round(largest / (i + 1))),
  }));
  const transportId = await createPlatformTransport(tables, { port: sink.port, limits: { perSecond } });
  const destination = await createDestination(tables, transportId, { name: 'all', domain: 'example.com' });
  const ids = await createTenants(tables, wishes);
  await createPeople(tables, ids, [destination], 2);
  const members = wishes.map((wish, i) => ({ ...wish, tenantId: ids[i] as TenantId }));
  await createBacklogs(
    tables,
    members.map(({ tenantId, size }) => ({ tenantId, destination, messages: size })),
  );
  return members;
}

function countByTenant(taken: readonly Taken[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { tenantId } of taken) counts.set(tenantId, (counts.get(tenantId) ?? 0) + 1);
  return counts;
}

function backlogged(members: readonly Member[], taken: readonly Taken[]): readonly Member[] {
  const counts = countByTenant(taken);
  return members.filter(({ tenantId, size }) => (counts.get(tenantId) ?? 0) < size);
}

function judge(members: readonly Member[], taken: readonly Taken[], start: number): Findings {
  const counts = countByTenant(taken);
  const left = backlogged(members, taken);
  const shares = left.map(({ tenantId, weight }) => (counts.get(tenantId) ?? 0) / weight);
  const firstAt = Math.min(...taken.map(({ at }) => at));
  const lastAt = Math.max(...taken.map(({ at }) => at));
  const served = (taken.length * 1_000) / (lastAt - firstAt);
  const waits = firstWaits(members, taken, firstAt);
  return {
    figures: [
      { name: "Jain's index of service by weight", value: jainIndex(shares), unit: '', atLeast: 0.95 },
      {
        name: 'longest wait for a first message',
        value: Math.max(...waits) / 1_000,
        unit: 's',
        atMost: boundSeconds(members, served),
      },
      { name: 'tenants with a backlog to the end', value: left.length, unit: 'tenants', atLeast: 2 },
      { name: 'served', value: served, unit: 'messages/s' },
      { name: 'messages', value: taken.length, unit: 'messages' },
      { name: 'from start to first message', value: (firstAt - start) / 1_000, unit: 's' },
    ],
    series: [serviceByTenant(left, counts), waitsByTenant(waits)],
  };
}

/** THE BOUND of dispatch-policy.ts: window and one quantum of each, by the rate. A tenant with less than its quantum takes no more than it has. */
function boundSeconds(members: readonly Member[], served: number): number {
  const quantum = Math.min(500, Math.max(16, windowMessages / members.length));
  const quanta = members.map(({ weight, size }) => Math.min(size, Math.max(16, (quantum * weight) / 100)));
  return (windowMessages + sumOf(quanta)) / served;
}

function firstWaits(members: readonly Member[], taken: readonly Taken[], firstAt: number): readonly number[] {
  const first = new Map<number, number>();
  for (const { tenantId, at } of taken) if (!first.has(tenantId)) first.set(tenantId, at);
  // Who was not served at all waits still.
  return members.map(({ tenantId }) => (first.get(tenantId) ?? Date.now()) - firstAt);
}

function serviceByTenant(left: readonly Member[], counts: ReadonlyMap<number, number>): Series {
  const points = left.map(({ tenantId, weight }, i): [number, number] => [
    i,
    ((counts.get(tenantId) ?? 0) * 100) / weight,
  ]);
  return { name: 'messages by weight 100', unit: 'messages', points };
}

function waitsByTenant(waits: readonly number[]): Series {
  const points = waits.map((ms, i): [number, number] => [i + 1, ms / 1_000]);
  return { name: 'wait for the first message', unit: 's', points };
}
