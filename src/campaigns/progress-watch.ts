/**
 * Watches campaigns for those who look at them live: one poll per campaign, process and interval, however many follow it, and none
 * when nobody waits. The rate needs several looks, so single requests are served from here, too.
 */
import { LRUCache } from 'lru-cache';
import type { TenantId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/mysql.ts';
import { campaignFields } from '../tracing/chunk-names.ts';
import type { CampaignKey } from './campaign.ts';
import { FollowerPlaces } from './follower-places.ts';
import { ProgressRate } from './progress-rate.ts';
import { isOver, type Progress, readProgress, settledOf, totalOf } from './progress-store.ts';

export interface Seen {
  readonly progress: Progress;
  /** Recipients settled a second. */
  readonly ratePerSecond: number | null;
  /** Until all are settled at this rate; null while that can't be told. */
  readonly etaSeconds: number | null;
}

/** A look that was seen; `nothing`: the poll failed, try the next; `gone`: the campaign was deleted. */
type Sighting = Seen | 'nothing' | 'gone';

export interface ProgressWatch {
  /** What it is now; undefined when there is no such campaign. */
  look(key: CampaignKey): Promise<Seen | undefined>;
  /**
   * The progress at once, then after each interval, the last one when the campaign is over. Who reads slowly misses looks. Ends when the
   * signal aborts. Throws `rate_limited` when too many follow already; call `admit` before the reply begins, to say so in time.
   */
  follow(key: CampaignKey, signal: AbortSignal): AsyncGenerator<Seen | undefined>;
  /** Throws `rate_limited` unless one more of this tenant's may follow. */
  admit(tenantId: TenantId): void;
}

export interface ProgressWatchOptions {
  readonly db: Sql;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs?: number;
  /** Followers of this process, over all campaigns. */
  readonly mostFollowers?: number;
  /** The same of one tenant: it must not take all the others' places. */
  readonly mostFollowersPerTenant?: number;
}

const rememberedCampaigns = 1_000;

export function createProgressWatch(options: ProgressWatchOptions): ProgressWatch {
  const { db, clock, log, everyMs = 1_000, mostFollowers = 500, mostFollowersPerTenant = 50 } = options;
  const rates = new LRUCache<string, ProgressRate>({ max: rememberedCampaigns });
  const polls = new Map<string, Promise<Sighting>>();
  const places = new FollowerPlaces(mostFollowers, mostFollowersPerTenant);

  async function look(key: CampaignKey): Promise<Seen | undefined> {
    const progress = await readProgress(db, key);
    if (!progress) return undefined;
    const settled = settledOf(progress.counts);
    return describe(progress, rateOf(key).add({ atMs: clock.monotonic(), settled }));
  }

  function rateOf(key: CampaignKey): ProgressRate {
    const rate = rates.get(nameOf(key)) ?? new ProgressRate();
    rates.set(nameOf(key), rate);
    return rate;
  }

  /** The next poll of a campaign, which all who wait for it share. */
  function nextPoll(key: CampaignKey): Promise<Sighting> {
    const name = nameOf(key);
    const polling = polls.get(name) ?? wait(everyMs).then(() => poll(key));
    polls.set(name, polling);
    return polling;
  }

  async function poll(key: CampaignKey): Promise<Sighting> {
    polls.delete(nameOf(key));
    try {
      return (await look(key)) ?? 'gone';
    } catch (error) {
      const fields = campaignFields({ tenantId: key.tenantId, campaignId: key.id });
      log.warn({ err: error, ...fields }, 'progress not read');
      return 'nothing';
    }
  }

  async function* follow(key: CampaignKey, signal: AbortSignal): AsyncGenerator<Seen | undefined> {
    places.take(key.tenantId);
    const aborted = onceAborted(signal);
    try {
      let sighting: Sighting = (await look(key)) ?? 'gone';
      while (sighting !== 'gone' && !signal.aborted) {
        yield sighting === 'nothing' ? undefined : sighting;
        if (sighting !== 'nothing' && isOver(sighting.progress)) return;
        sighting = await Promise.race([nextPoll(key), aborted.promise]);
      }
    } finally {
      aborted.forget();
      places.leave(key.tenantId);
    }
  }

  return { look, follow, admit: (tenantId) => places.assertFree(tenantId) };
}

function describe(progress: Progress, ratePerSecond: number | null): Seen {
  const left = totalOf(progress.counts) - settledOf(progress.counts);
  const canTell = ratePerSecond !== null && ratePerSecond > 0 && progress.isTotalFinal && !progress.isPaused;
  return { progress, ratePerSecond, etaSeconds: canTell ? left / ratePerSecond : null };
}

function nameOf({ tenantId, id }: CampaignKey): string {
  return `${tenantId}-${id}`;
}

/** Does not keep a process alive that has nothing else to do. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

function onceAborted(signal: AbortSignal): { readonly promise: Promise<'gone'>; forget(): void } {
  let abort: () => void = () => {};
  const promise = new Promise<'gone'>((resolve) => {
    abort = () => resolve('gone');
    signal.addEventListener('abort', abort, { once: true });
  });
  return { promise, forget: () => signal.removeEventListener('abort', abort) };
}
