/**
 * A send worker's side of pacing: reports what it lived through, and reads back what the leader makes of it, in one pipeline four times a second; at
 * once after a refusal or a failure to connect, since these are what must be obeyed soonest.
 *
 * While Redis is away the last paces stand, and what happens meanwhile is reported afterwards. If we die, a quarter of a second of counts
 * is not learnt from; nothing else hangs on them.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import { countWorkers, forgetWorker } from './live-workers.ts';
import type { Pace } from './pace.ts';
import type { PaceEvent } from './pace-event.ts';
import { askPaces, reportsKey, valueAt } from './pace-keys.ts';
import { ReadPaces } from './read-back.ts';
import { encodeReports } from './report-coding.ts';
import { Tally } from './tally.ts';

export type { PaceEvent } from './pace-event.ts';

export interface Held {
  readonly inFlight: number;
  readonly connections: number;
}

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
  readonly redis: Redis;
  readonly prefix: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly flushMs?: number;
}

/** Lines the leader has not read. Without a leader the oldest go: what they tell is over. */
const mostLines = 2_000;
const mostReportsPerLine = 500;
const countEveryMs = 1_000;
/** What is merely held is said again this often, before the leader takes it for gone. */
const sayHeldEveryMs = 1_000;
/** Between two flushes that were asked for at once: a storm of refusals is one report. */
const shortestGapMs = 50;
const nothingHeld: Held = { inFlight: 0, connections: 0 };

export function createPaceFeed(options: PaceFeedOptions): PaceFeed {
  const { redis, prefix, owner, clock, log, flushMs = 250 } = options;
  const watched = new Map<number, Set<() => Held>>();
  const paces = new ReadPaces(clock);
  const listeners: ((destinationId: number, pace: Pace) => void)[] = [];
  let tallies = new Map<number, Tally>();
  let workers = 1;
  let countAt = 0;
  let sayHeldAt = 0;
  let flushedAt = 0;
  let isAway = false;
  let urgent: NodeJS.Timeout | undefined;

  async function pass(): Promise<'idle'> {
    clearTimeout(urgent);
    urgent = undefined;
    flushedAt = clock.monotonic();
    const taken = tallies;
    tallies = new Map();
    try {
      await flush(taken);
      if (isAway) log.info('pace feed: Redis is back');
      isAway = false;
    } catch (error) {
      if (!isAway) log.warn({ err: error }, 'pace feed: Redis is away, the last paces stand');
      isAway = true;
      putBack(taken);
    }
    return 'idle';
  }

  /** One pipeline: reports in, paces out, and once a second the count of workers. */
  async function flush(taken: Map<number, Tally>): Promise<void> {
    const lines = linesOf(taken);
    const ids = [...watched.keys()];
    const isCounting = flushedAt >= countAt;
    if (lines.length + ids.length === 0 && !isCounting) return;
    const pipeline = redis.pipeline();
    if (lines.length > 0)
      pipeline.rpush(reportsKey(prefix), ...lines).ltrim(reportsKey(prefix), -mostLines, -1);
    if (isCounting) countWorkers(pipeline, prefix, owner);
    const asked = askPaces(pipeline, prefix, ids);
    const replies = await pipeline.exec();
    const read = lines.length > 0 ? 2 : 0;
    if (read > 0) valueAt(replies, 0);
    // Reported: what fails from here on must not report it twice.
    taken.clear();
    if (isCounting) {
      workers = Math.max(1, Number(valueAt(replies, read)));
      countAt = flushedAt + countEveryMs;
    }
    const found = asked.read(replies, read + (isCounting ? 1 : 0));
    for (const [i, id] of ids.entries()) take(id, found[i]?.pace);
  }

  function take(id: number, pace: Pace | undefined): void {
    if (!watched.has(id) || !paces.set(id, pace) || !pace) return;
    for (const listener of listeners) listener(id, pace);
  }

  function linesOf(taken: ReadonlyMap<number, Tally>): readonly string[] {
    const isSaying = flushedAt >= sayHeldAt;
    if (isSaying) sayHeldAt = flushedAt + sayHeldEveryMs;
    const held = isSaying ? [...watched.keys()].filter((id) => isHolding(heldOf(id))) : [];
    const ids = [...new Set([...taken.keys(), ...held])];
    const reports = ids.map((id) => (taken.get(id) ?? new Tally()).report(id, heldOf(id)));
    const lines: string[] = [];
    for (let i = 0; i < reports.length; i += mostReportsPerLine) {
      lines.push(encodeReports({ owner, reports: reports.slice(i, i + mostReportsPerLine) }));
    }
    return lines;
  }

  function heldOf(id: number): Held {
    let sum = nothingHeld;
    for (const held of watched.get(id) ?? []) {
      const { inFlight, connections } = held();
      sum = { inFlight: sum.inFlight + inFlight, connections: sum.connections + connections };
    }
    return sum;
  }

  function putBack(taken: ReadonlyMap<number, Tally>): void {
    for (const [id, tally] of taken) tallyOf(id).addEarlier(tally);
  }

  function tallyOf(id: number): Tally {
    const found = tallies.get(id);
    if (found) return found;
    const made = new Tally();
    tallies.set(id, made);
    return made;
  }

  function flushSoon(): void {
    if (urgent) return;
    const gapMs = Math.max(0, flushedAt + shortestGapMs - clock.monotonic());
    urgent = setTimeout(loop.wake, gapMs);
    urgent.unref();
  }

  const loop = createLoop({ name: 'pace-feed', log, idleMs: flushMs, pass });
  return {
    start: loop.start,
    async stop() {
      await loop.stop();
      clearTimeout(urgent);
      await pass();
      await forgetWorker(redis, prefix, owner).catch(() => undefined);
    },
    note(id, event) {
      tallyOf(id).add(event);
      if (event.kind === 'throttled' || event.kind === 'open_failed' || event.restMs) flushSoon();
    },
    watch(id, held) {
      const all = watched.get(id) ?? new Set();
      if (all.size === 0) flushSoon();
      watched.set(id, all.add(held));
      return () => {
        all.delete(held);
        if (all.size > 0 || watched.get(id) !== all) return;
        watched.delete(id);
        paces.forget(id);
        tallyOf(id);
      };
    },
    paceOf: (id) => paces.get(id),
    get workers() {
      return workers;
    },
    onPace: (listener) => void listeners.push(listener),
  };
}

function isHolding({ inFlight, connections }: Held): boolean {
  return inFlight + connections > 0;
}
