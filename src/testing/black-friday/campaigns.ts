/** What one cell's tenants have scheduled for the day. Pure but for the seeded chance. */
import type { Random } from '../smtp-sink/seeded-random.ts';
import { hourMs, hourShape, minuteClusters } from './published-day.ts';
import type { Tenant } from './tenants.ts';
import type { Group } from './waits.ts';

export interface Campaign {
  readonly tenantId: number;
  readonly messages: number;
  readonly dueMs: number;
  readonly group: Group;
}

const peakHour = 9;
/** Tenants up to so many messages a day send them at once, up to so many in two campaigns, others in three. */
const oneCampaign = 5_000;
const twoCampaigns = 1_000_000;
const smallestPart = 0.1;
const largestPart = 0.01;

/** In the order in which they are due. The hours fill up to their shape; the cell's largest campaign is sent at the beginning of the peak hour. */
export function scheduleCampaigns(tenants: readonly Tenant[], random: Random): readonly Campaign[] {
  const total = tenants.reduce((sum, { messages }) => sum + messages, 0);
  const left = hourShape.map((part) => (total * part) / 24);
  const groupOf = grouping(tenants);
  const lists = tenants
    .flatMap((tenant) => listsOf(tenant).map((messages) => ({ tenant, messages })))
    .sort((a, b) => b.messages - a.messages || a.tenant.rank - b.tenant.rank);
  const campaigns = lists.map(({ tenant, messages }, i) => {
    const hour = i === 0 ? peakHour : pickByWeight(left, random);
    left[hour] = Math.max(0, (left[hour] as number) - messages);
    const minute = i === 0 ? 0 : pickMinute(random);
    return {
      ...{ tenantId: tenant.rank, messages, group: groupOf(tenant) },
      dueMs: hour * hourMs + minute * 60_000,
    };
  });
  return campaigns.sort((a, b) => a.dueMs - b.dueMs || a.tenantId - b.tenantId);
}

function listsOf({ messages }: Tenant): readonly number[] {
  const n = messages <= oneCampaign ? 1 : messages <= twoCampaigns ? 2 : 3;
  const each = Math.floor(messages / n);
  return Array.from({ length: n }, (_, i) => (i === 0 ? messages - each * (n - 1) : each));
}

/** Tenants come largest first. */
function grouping(tenants: readonly Tenant[]): (tenant: Tenant) => Group {
  const largest = tenants[Math.floor(tenants.length * largestPart)]?.rank ?? 0;
  const smallest = tenants[Math.floor(tenants.length * (1 - smallestPart))]?.rank ?? 0;
  return ({ rank }) => (rank < largest ? 'whales' : rank >= smallest ? 'smallest' : 'others');
}

function pickByWeight(weights: readonly number[], random: Random): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let at = random() * sum;
  for (const [i, weight] of weights.entries()) {
    at -= weight;
    if (at < 0) return i;
  }
  return weights.length - 1;
}

function pickMinute(random: Random): number {
  let at = random();
  for (const [minute, part] of minuteClusters) {
    at -= part;
    if (at < 0) return minute;
  }
  return Math.floor(random() * 60);
}
