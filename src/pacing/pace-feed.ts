/**
 * A send worker's side of pacing: reports what it lived through, and reads back what the leader makes of it, in one pipeline four times a second; at
 * once after a refusal or a failure to connect, since these are what must be obeyed soonest.
 *
 * While Redis is away the last paces stand, and what happens meanwhile is reported afterwards. If we die, a quarter of a second of counts
 * is not learnt from; nothing else hangs on them.
 */

import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { RedisClient } from '../platform/redis.ts';
import { countWorkers, forgetWorker } from './live-workers.ts';
import type { Pace } from './pace.ts';
import type { PaceEvent } from './pace-event.ts';
import { askPaces, paceHome, reportsKey, valueAt } from './pace-keys.ts';
import { PendingReports } from './pending-reports.ts';
import { ReadPaces } from './read-back.ts';
import { type Held, WatchedDestinations } from './watched-destinations.ts';

export type { PaceEvent } from './pace-event.ts';

export interface PaceFeed extends Lifecycle {
  /** Cheap: called per message. */
  note(destinationId: number, event: PaceEvent): void;
  /** From now on its pace is read, and what is held of it reported; answers the function that ends that. */
  watch(destinationId: number, held: () => Held): () => void;
  /** As last read of a destination that is watched; undefined: not read yet, or nothing is known of it. */
  paceOf(destinationId: number): Pace | undefined;
  /** Send workers alive, by the last count; at least 1. */
  readonly workers: number;
  /** Told when a watched destination's pace has changed. */
  onPace(listener: (destinationId: number, pace: Pace) => void): void;
}

export interface PaceFeedOptions {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly flushMs?: number;
}

/** Lines the leader has not read. Without a leader the oldest go: what they tell is over. */
const mostLines = 2_000;
const countEveryMs = 1_000;
/** What is merely held is said again this often, before the leader takes it for gone. */
const sayHeldEveryMs = 1_000;
/** Between two flushes that were asked for at once: a storm of refusals is one report. */
const shortestGapMs = 50;

export function createPaceFeed(options: PaceFeedOptions): PaceFeed {
  return new RedisPaceFeed(options);
}

class RedisPaceFeed implements PaceFeed {
  readonly #options: PaceFeedOptions;
  readonly #home: string;
  readonly #loop;
  readonly #watched = new WatchedDestinations();
  readonly #paces: ReadPaces;
  readonly #listeners: ((destinationId: number, pace: Pace) => void)[] = [];
  #pending = new PendingReports();
  #workers = 1;
  #countAt = 0;
  #sayHeldAt = 0;
  #flushedAt = 0;
  #isAway = false;
  #urgent: NodeJS.Timeout | undefined;

  constructor(options: PaceFeedOptions) {
    this.#options = options;
    this.#home = paceHome(options.redis, options.prefix);
    this.#paces = new ReadPaces(options.clock);
    const { log, flushMs = 250 } = options;
    this.#loop = createLoop({ name: 'pace-feed', log, idleMs: flushMs, pass: () => this.#pass() });
  }

  get workers(): number {
    return this.#workers;
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  async stop(): Promise<void> {
    const { redis, owner } = this.#options;
    await this.#loop.stop();
    clearTimeout(this.#urgent);
    await this.#pass();
    await forgetWorker(redis, this.#home, owner).catch(() => undefined);
  }

  note(id: number, event: PaceEvent): void {
    this.#pending.of(id).add(event);
    if (event.kind === 'throttled' || event.kind === 'open_failed' || event.restMs) this.#flushSoon();
  }

  watch(id: number, held: () => Held): () => void {
    if (this.#watched.add(id, held)) this.#flushSoon();
    return () => {
      if (!this.#watched.remove(id, held)) return;
      this.#paces.forget(id);
      // Reported once more: that nothing of it is held.
      this.#pending.of(id);
    };
  }

  paceOf(id: number): Pace | undefined {
    return this.#paces.get(id);
  }

  onPace(listener: (destinationId: number, pace: Pace) => void): void {
    this.#listeners.push(listener);
  }

  async #pass(): Promise<'idle'> {
    const { clock, log } = this.#options;
    clearTimeout(this.#urgent);
    this.#urgent = undefined;
    this.#flushedAt = clock.monotonic();
    const taken = this.#pending;
    this.#pending = new PendingReports();
    try {
      await this.#flush(taken);
      if (this.#isAway) log.info('pace feed: Redis is back');
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) log.warn({ err: error }, 'pace feed: Redis is away, the last paces stand');
      this.#isAway = true;
      this.#pending.addEarlier(taken);
    }
    return 'idle';
  }

  /** One pipeline: reports in, paces out, and once a second the count of workers. */
  async #flush(taken: PendingReports): Promise<void> {
    const { redis, owner } = this.#options;
    const home = this.#home;
    const lines = this.#linesOf(taken);
    const ids = this.#watched.ids;
    const isCounting = this.#flushedAt >= this.#countAt;
    if (lines.length + ids.length === 0 && !isCounting) return;
    const pipeline = redis.pipeline();
    if (lines.length > 0) pipeline.rpush(reportsKey(home), ...lines).ltrim(reportsKey(home), -mostLines, -1);
    if (isCounting) countWorkers(pipeline, home, owner);
    const asked = askPaces(pipeline, home, ids);
    const replies = await pipeline.exec();
    const counted = lines.length > 0 ? 2 : 0;
    if (counted > 0) valueAt(replies, 0);
    // Reported: what fails from here on must not report it twice.
    taken.clear();
    if (isCounting) this.#counted(Number(valueAt(replies, counted)));
    const found = asked.read(replies, counted + (isCounting ? 1 : 0));
    for (const [i, id] of ids.entries()) this.#take(id, found[i]?.pace);
  }

  #linesOf(taken: PendingReports): readonly string[] {
    const isSaying = this.#flushedAt >= this.#sayHeldAt;
    if (isSaying) this.#sayHeldAt = this.#flushedAt + sayHeldEveryMs;
    return taken.lines(this.#options.owner, this.#watched, isSaying ? this.#watched.holding : []);
  }

  #counted(workers: number): void {
    this.#workers = Math.max(1, workers);
    this.#countAt = this.#flushedAt + countEveryMs;
  }

  #take(id: number, pace: Pace | undefined): void {
    if (!this.#watched.has(id) || !this.#paces.set(id, pace) || !pace) return;
    for (const listener of this.#listeners) listener(id, pace);
  }

  #flushSoon(): void {
    if (this.#urgent) return;
    const gapMs = Math.max(0, this.#flushedAt + shortestGapMs - this.#options.clock.monotonic());
    this.#urgent = setTimeout(this.#loop.wake, gapMs);
    this.#urgent.unref();
  }
}
