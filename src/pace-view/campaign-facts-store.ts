/** Gathers what explains a campaign's pace: a dozen bounded reads, for a person who asks, not for polling many. */
import type { CampaignKey } from '../campaigns/campaign.ts';
import { type Progress, readProgress } from '../campaigns/progress-store.ts';
import type { TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import { readWaiting, scaleParts, type WaitingPart } from './campaign-chunks.ts';
import {
  type CampaignFacts,
  type DestinationFacts,
  mostOtherLanes,
  type SenderPauseFacts,
} from './campaign-facts.ts';
import { type DestinationStatus, untilMidnightMs } from './destination-status.ts';
import { readDestinations, type StoredDestination } from './destination-store.ts';
import { readFleet } from './fleet-store.ts';
import { type PaceViewParts, readStatuses } from './read-status.ts';

export interface GatheredFacts {
  readonly facts: CampaignFacts;
  /** What each destination has of it is extrapolated. */
  readonly isEstimate: boolean;
}

/** Undefined: there is no such campaign. */
export async function gatherFacts(
  parts: PaceViewParts,
  key: CampaignKey,
): Promise<GatheredFacts | undefined> {
  const { db, clock } = parts;
  const progress = await readProgress(db, key);
  const terms = await readTerms(db, key);
  if (!progress || !terms) return undefined;
  const pending = pendingOf(progress);
  const sample = await readWaiting(db, key, terms.part);
  const waiting = scaleParts(sample, pending).filter(({ ready, retrying }) => ready + retrying > 0);
  const facts: CampaignFacts = {
    ...{ state: progress.state, isPaused: progress.isPaused, isExpanded: progress.isTotalFinal },
    ...{ startsInMs: terms.startsInMs, deadlineInMs: terms.deadlineInMs },
    ...{ perMinute: terms.perMinute, tenantPerSecond: terms.tenantPerSecond },
    ...{ pending, inDoubt: progress.counts.in_doubt },
    untilMidnightMs: untilMidnightMs(clock.now()),
    fleet: await readFleet(db),
    destinations: await gatherDestinations(parts, { tenantId: key.tenantId, domain: terms.domain, waiting }),
  };
  return { facts, isEstimate: !sample.isWhole };
}

function pendingOf({ counts }: Progress): number {
  return counts.pending + counts.deferred + counts.attempting;
}

interface Terms {
  readonly part: number;
  readonly startsInMs: number | null;
  readonly deadlineInMs: number | null;
  readonly perMinute: number | null;
  readonly tenantPerSecond: number | null;
  readonly domain: string | null;
}

function readTerms(sql: Sql, { tenantId, id }: CampaignKey): Promise<Terms | undefined> {
  return sql.first(
    `SELECT m.part, TIMESTAMPDIFF(MICROSECOND, NOW(3), m.send_at) / 1000 AS startsInMs,
       TIMESTAMPDIFF(MICROSECOND, NOW(3), m.deadline_at) / 1000 AS deadlineInMs, m.per_minute AS perMinute,
       n.per_second AS tenantPerSecond, m.sending_domain AS domain
     FROM campaigns m JOIN tenants n ON n.id = m.tenant_id WHERE m.tenant_id = ? AND m.id = ?`,
    [tenantId, id],
  );
}

interface Waiting {
  readonly tenantId: TenantId;
  readonly domain: string | null;
  readonly waiting: readonly WaitingPart[];
}

async function gatherDestinations(
  parts: PaceViewParts,
  { tenantId, domain, waiting }: Waiting,
): Promise<readonly DestinationFacts[]> {
  if (waiting.length === 0) return [];
  const ids = waiting.map(({ destinationId }) => destinationId);
  const destinations = await readDestinations(parts.db, tenantId, ids);
  const statuses = await readStatuses(parts, destinations);
  const pauses = await readPauses(parts.db, { tenantId, domain, ids });
  const others = await countOtherLanes(parts.db, tenantId, destinations);
  return waiting.flatMap((part) => {
    const destination = destinations.find(({ id }) => id === part.destinationId);
    if (!destination) return [];
    const { id, name } = destination;
    const status = statuses.get(id) as DestinationStatus;
    const { ready, retrying, retryInMs } = part;
    const [senderPause, otherLanes] = [pauses.get(id) ?? null, others.get(id) ?? 0];
    return [{ id, name, ready, retrying, retryInMs, status, senderPause, otherLanes }];
  });
}

async function readPauses(
  sql: Sql,
  {
    tenantId,
    domain,
    ids,
  }: { readonly tenantId: TenantId; readonly domain: string | null; readonly ids: readonly number[] },
): Promise<ReadonlyMap<number, SenderPauseFacts>> {
  if (domain === null) return new Map();
  const rows = await sql.rows<{ id: number; endsInMs: number; code: number; reply: string }>(
    `SELECT destination_id AS id, TIMESTAMPDIFF(MICROSECOND, NOW(3), \`until\`) / 1000 AS endsInMs, reply_code AS code, reply
     FROM sender_pauses WHERE tenant_id = ? AND destination_id IN (?) AND domain = ? AND \`until\` > NOW(3)`,
    [tenantId, ids, domain],
  );
  return new Map(
    rows.map(({ id, endsInMs, code, reply }) => [id, { domain, endsInMs, reply: `${code} ${reply}` }]),
  );
}

/** At the platform's destinations; of a tenant's own there are none. A range of `by_destination`, index only, for each; how many, never whose. */
async function countOtherLanes(
  sql: Sql,
  tenantId: TenantId,
  destinations: readonly StoredDestination[],
): Promise<ReadonlyMap<number, number>> {
  const shared = destinations.filter(({ isPlatform }) => isPlatform);
  if (shared.length === 0) return new Map();
  const one = `(SELECT ? AS id, COUNT(*) AS lanes FROM (SELECT 1 FROM lanes FORCE INDEX (by_destination)
    WHERE destination_id = ? AND class IN (0, 1, 2) AND next_due_at <= NOW(3) AND tenant_id <> ? LIMIT ${mostOtherLanes}) some)`;
  const rows = await sql.rows<{ id: number; lanes: number }>(
    shared.map(() => one).join(' UNION ALL '),
    shared.flatMap(({ id }) => [id, id, tenantId]),
  );
  return new Map(rows.map(({ id, lanes }) => [id, lanes]));
}
