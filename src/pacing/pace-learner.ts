/**
 * The leader's side of pacing: takes the workers' reports from Redis, learns from them, and publishes what it made of them.
 *
 * Its memory is a cache of what it published: a new leader adopts that, destination by destination. If we die between taking
 * reports and publishing, a few hundred milliseconds are not learnt from. Without Redis nobody can report: the last paces stand.
 */

import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { RedisClient } from '../platform/redis.ts';
import { KnownPaces } from './known-paces.ts';
import type { DestinationLimits, Pace } from './pace.ts';
import { askPaces, paceHome, reportsKey, troubledKey, valueAt } from './pace-keys.ts';
import { publishPaces } from './publish-paces.ts';
import { decodeReports, type ReportLine } from './report-coding.ts';

export interface PaceLearner {
  /**
   * Learns from what was reported since the last call. `outstanding`: messages dispatched and not settled, by destination. Called once
   * per dispatch pass, before `paceOf`; does something at most every 100 ms. Never throws.
   */
  learn(outstanding: ReadonlyMap<number, number>): Promise<void>;
  /** Of one that is not known: a cold start. */
  paceOf(destinationId: number): Pace;
  /** All paces in memory, for metrics. None while another leads: what it says must not be said twice. */
  paces(): Iterable<Pace>;
}

export interface PaceLearnerOptions {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limitsOf: (destinationId: number) => DestinationLimits;
  /** Most messages outstanding of any destination (DISPATCH_WINDOW_MESSAGES). */
  readonly ceiling: number;
  readonly random?: () => number;
}

const learnEveryMs = 100;
const mostLines = 1_000;
const mostAdopted = 1_000;
const mostTroubled = 10_000;
/** Another led meanwhile: what it published is newer than what we remember. */
const staleAfterMs = 10_000;

export function createPaceLearner(options: PaceLearnerOptions): PaceLearner {
  return new RedisPaceLearner(options);
}

class RedisPaceLearner implements PaceLearner {
  readonly #options: PaceLearnerOptions;
  readonly #home: string;
  readonly #known: KnownPaces;
  /** Asked for and not known: adopted with the next call. */
  readonly #wanted = new Set<number>();
  #learntAt = Number.NEGATIVE_INFINITY;
  #isAway = false;
  /** Until it has adopted what must be known before the first pass. */
  #isNewLeader = true;

  constructor(options: PaceLearnerOptions) {
    this.#options = options;
    this.#home = paceHome(options.redis, options.prefix);
    this.#known = new KnownPaces(options);
  }

  async learn(outstanding: ReadonlyMap<number, number>): Promise<void> {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonic();
    if (nowMs - this.#learntAt < learnEveryMs) return;
    try {
      await this.#learnOnce(outstanding, nowMs);
      if (this.#isAway) log.info('pace learner: Redis is back');
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) log.warn({ err: error }, 'pace learner: Redis is away, the last paces stand');
      this.#isAway = true;
    }
    this.#learntAt = nowMs;
  }

  paceOf(id: number): Pace {
    if (!this.#known.has(id)) this.#wanted.add(id);
    return this.#known.paceOf(id, this.#options.clock.monotonic());
  }

  paces(): Iterable<Pace> {
    const nowMs = this.#options.clock.monotonic();
    return nowMs - this.#learntAt > staleAfterMs ? [] : this.#known.paces(nowMs);
  }

  async #learnOnce(outstanding: ReadonlyMap<number, number>, nowMs: number): Promise<void> {
    const { redis, prefix } = this.#options;
    if (nowMs - this.#learntAt > staleAfterMs) this.#forgetAll();
    const troubled = this.#isNewLeader ? await this.#readTroubled() : [];
    const lines = await takeLines(redis, this.#home);
    const reported = lines.flatMap(({ reports }) => reports.map((report) => report.destinationId));
    await this.#adoptAll([...this.#wanted, ...outstanding.keys(), ...reported, ...troubled], nowMs);
    this.#isNewLeader = false;
    if (this.#isAway) this.#known.resume();
    for (const line of lines) this.#known.observe(line, nowMs);
    this.#known.tick(outstanding, nowMs);
    const due = this.#known.due(nowMs);
    await publishPaces(redis, prefix, due);
    this.#known.published(due, nowMs);
  }

  #forgetAll(): void {
    this.#known.clear();
    this.#isNewLeader = true;
  }

  async #readTroubled(): Promise<readonly number[]> {
    const { redis } = this.#options;
    return (await redis.srandmember(troubledKey(this.#home), mostTroubled)).map(Number);
  }

  async #adoptAll(ids: readonly number[], nowMs: number): Promise<void> {
    const { redis } = this.#options;
    const strange = [...new Set(ids)].filter((id) => !this.#known.has(id));
    this.#wanted.clear();
    for (let i = 0; i < strange.length; i += mostAdopted) {
      const some = strange.slice(i, i + mostAdopted);
      const pipeline = redis.pipeline();
      const asked = askPaces(pipeline, this.#home, some);
      const found = asked.read(await pipeline.exec(), 0);
      for (const [n, id] of some.entries()) this.#known.adopt(id, found[n], nowMs);
    }
  }
}

/** At most `mostLines`; not LPOP with a count, which Redis knows only from 6.2 on. A line of another release is left out. */
async function takeLines(redis: RedisClient, home: string): Promise<readonly ReportLine[]> {
  const key = reportsKey(home);
  const replies = await redis
    .multi()
    .lrange(key, 0, mostLines - 1)
    .ltrim(key, mostLines, -1)
    .exec();
  const texts = valueAt(replies, 0) as readonly string[];
  return texts.map(decodeReports).filter((line) => line !== undefined);
}
