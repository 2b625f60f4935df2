/** After a run: waits until its campaigns are over, and asks the API what became of them. */
import { sleep } from 'k6';
import { type Caller, get, type Json } from '../installation/api.ts';
import { listCampaigns, readProgress } from '../installation/campaigns.ts';
import { number } from '../installation/settings.ts';
import { caller, type LoadTenant } from '../installation/tenants.ts';
import { busySeconds, jain, percentile, speedsAgainstIdeal } from './fairness.ts';
import * as metrics from './metrics.ts';

/** A campaign that is over. Times by the installation's clocks, in ms since 1970. */
export interface Judged {
  readonly phase: string;
  readonly group: Group;
  readonly messages: number;
  readonly atMs: number;
  readonly startedMs: number;
  readonly firstMs: number;
  readonly endMs: number;
}

/** `whales`: who has more than a twentieth of all recipients; `small`: the smaller half of the tenants. */
export type Group = 'whales' | 'others' | 'small';
export const groups: readonly Group[] = ['whales', 'others', 'small'];

const drainTimeoutMs = number('LOAD_DRAIN_SECONDS', 600) * 1_000;
const pollSeconds = 1;
/** Reading one takes three calls or more; of more campaigns, as many are read, evenly. */
const mostJudged = 600;
/** Deliveries that are looked through for the first attempt: all of a small campaign's, the first of a large one's. */
const pagesRead = 5;
/** Completing is noticed by a sweep, retries wait for their step: neither says anything of fairness. */
const floorMs = 5_000;
const floorFirstMs = 1_000;

export function judge(tenants: readonly LoadTenant[]): readonly Judged[] {
  const groupOf = grouping(tenants);
  const until = Date.now() + drainTimeoutMs;
  const found = tenants.flatMap((tenant) =>
    awaitCampaigns(caller(tenant, 'judge'), until).map((campaign) => ({ tenant, campaign })),
  );
  const over = found.filter(({ campaign }) => isOver(campaign));
  metrics.campaignsUnfinished.add(found.length - over.length);
  metrics.campaignsSent.add(over.length);
  const every = Math.max(1, Math.ceil(over.length / mostJudged));
  const judged = over
    .filter((_, i) => i % every === 0)
    .map(({ tenant, campaign }) => readCampaign(tenant, campaign, groupOf(tenant)));
  judged.forEach(note);
  noteTogether(judged);
  return judged;
}

export function grouping(
  tenants: readonly { readonly rank: number; readonly recipients: number }[],
): (tenant: { readonly rank: number; readonly recipients: number }) => Group {
  const total = tenants.reduce((sum, { recipients }) => sum + recipients, 0);
  return ({ rank, recipients }) => {
    if (recipients > total / 20 && rank <= tenants.length / 2) return 'whales';
    return rank > tenants.length / 2 ? 'small' : 'others';
  };
}

function awaitCampaigns(by: Caller, until: number): Json[] {
  for (;;) {
    const all = listCampaigns(by);
    if (all.every(isOver) || Date.now() > until) return all;
    sleep(pollSeconds);
  }
}

function isOver({ state }: Json): boolean {
  return state === 'sent';
}

function readCampaign(tenant: LoadTenant, campaign: Json, group: Group): Judged {
  const by = caller(tenant, 'judge');
  const { total, ...states } = readProgress(by, campaign.id).recipients as Record<string, number>;
  for (const [state, n] of Object.entries(states)) metrics.recipients.add(n, { state });
  metrics.messagesInDoubt.add(states.in_doubt ?? 0);
  return {
    ...{ phase: campaign.name, group, messages: total ?? 0 },
    atMs: Date.parse(campaign.send_at),
    startedMs: Date.parse(campaign.started_at),
    firstMs: readFirstOutcome(by, campaign.id),
    endMs: Date.parse(campaign.finished_at),
  };
}

/** Of a large campaign the first outcome of its first thousand deliveries: an upper bound. */
function readFirstOutcome(by: Caller, id: string): number {
  let first = Number.POSITIVE_INFINITY;
  let cursor: string | null = '';
  for (let page = 0; page < pagesRead && cursor !== null; page++) {
    const after: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const target = {
      route: '/v1/campaigns/{id}/deliveries',
      ids: [id],
      query: `page_size=200${after}`,
    };
    const { data, next_cursor: next }: Json = get(by, target);
    for (const { outcome_at: at } of data) if (at !== null) first = Math.min(first, Date.parse(at));
    cursor = next;
  }
  return first;
}

function note({ phase, group, atMs, startedMs, firstMs, endMs }: Judged): void {
  const tags = { phase, group };
  metrics.startLag.add(startedMs - atMs, tags);
  metrics.drainTime.add(endMs - atMs, tags);
  if (Number.isFinite(firstMs)) metrics.timeToFirstAttempt.add(Math.max(0, firstMs - atMs), tags);
}

function noteTogether(judged: readonly Judged[]): void {
  const messages = judged.reduce((sum, one) => sum + one.messages, 0);
  const seconds = busySeconds(judged);
  if (messages === 0 || seconds === 0) return;
  const perSecond = messages / seconds;
  metrics.messagesPerSecond.add(perSecond);
  metrics.fairnessJain.add(jain(speedsAgainstIdeal(judged, { perSecond, floorMs })));
  if (!groups.every((group) => judged.some((one) => one.group === group))) return;
  const p95 = (group: Group) => Math.max(floorFirstMs, percentile(firstsOf(judged, group), 0.95));
  metrics.fairnessSmallOverLarge.add(p95('small') / p95('whales'));
}

function firstsOf(judged: readonly Judged[], group: Group): number[] {
  return judged
    .filter((one) => one.group === group && Number.isFinite(one.firstMs))
    .map(({ firstMs, atMs }) => firstMs - atMs);
}
