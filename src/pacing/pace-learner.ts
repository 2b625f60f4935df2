/**
 * The leader's side of pacing: takes the workers' reports from Redis, learns from them, and publishes what it made of them.
 *
 * Its memory is a cache of what it published: a new leader adopts that, destination by destination. If we die between taking
 * reports and publishing, a few hundred milliseconds are not learnt from. Without Redis nobody can report: the last paces stand.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { adopt, toPublished } from './adopt-pace.ts';
import { coldState, observe, paceOf, resume, tick } from './learn.ts';
import type { DestinationLimits, Pace } from './pace.ts';
import type { PublishedPace } from './pace-coding.ts';
import { askPaces, reportsKey, troubledKey, valueAt } from './pace-keys.ts';
import type { PaceState } from './pace-state.ts';
import { isNews, publishPaces } from './publish-paces.ts';
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
  readonly redis: Redis;
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
const publishEveryMs = 1_000;
/** Idle so long, its measured rate has fallen to nothing: the last that is shown must not look busy. */
const showIdleForMs = 15_000;
const forgetAfterMs = 3_600_000;
/** Idle so long, a destination has been through all that time alone changes. */
const tickIdleForMs = 65_000;
/** Another led meanwhile: what it published is newer than what we remember. */
const staleAfterMs = 10_000;

interface Known {
  readonly state: PaceState;
  /** As it was last published, and when. */
  readonly published?: Pace | undefined;
  readonly publishedAtMs: number;
}

export function createPaceLearner(options: PaceLearnerOptions): PaceLearner {
  const { redis, prefix, clock, log, limitsOf, ceiling, random = Math.random } = options;
  const known = new Map<number, Known>();
  /** Asked for and not known: adopted with the next call. */
  const wanted = new Set<number>();
  let learntAt = Number.NEGATIVE_INFINITY;
  let isAway = false;
  /** Until it has adopted what must be known before the first pass. */
  let isNewLeader = true;

  async function learnOnce(outstanding: ReadonlyMap<number, number>, nowMs: number): Promise<void> {
    if (nowMs - learntAt > staleAfterMs) {
      known.clear();
      isNewLeader = true;
    }
    const troubled = isNewLeader ? await readTroubled() : [];
    const lines = await takeLines(redis, prefix);
    const reported = lines.flatMap(({ reports }) => reports.map((report) => report.destinationId));
    await adoptAll([...wanted, ...outstanding.keys(), ...reported, ...troubled], nowMs);
    isNewLeader = false;
    if (isAway)
      for (const [id, { state, ...rest }] of known) known.set(id, { ...rest, state: resume(state) });
    for (const line of lines) observeLine(line, nowMs);
    tickAll(outstanding, nowMs);
    await publish(nowMs);
  }

  async function readTroubled(): Promise<readonly number[]> {
    return (await redis.srandmember(troubledKey(prefix), mostTroubled)).map(Number);
  }

  async function adoptAll(ids: readonly number[], nowMs: number): Promise<void> {
    const strange = [...new Set(ids)].filter((id) => !known.has(id));
    wanted.clear();
    for (let i = 0; i < strange.length; i += mostAdopted) {
      const some = strange.slice(i, i + mostAdopted);
      const pipeline = redis.pipeline();
      const asked = askPaces(pipeline, prefix, some);
      const found = asked.read(await pipeline.exec(), 0);
      for (const [n, id] of some.entries()) know(id, found[n], nowMs);
    }
  }

  function know(id: number, published: PublishedPace | undefined, nowMs: number): void {
    const state = adopt(published, { nowMs, limits: limitsOf(id), ceiling });
    known.set(id, { state, published: published?.pace, publishedAtMs: 0 });
  }

  function observeLine({ owner, reports }: ReportLine, nowMs: number): void {
    for (const report of reports) {
      const before = known.get(report.destinationId);
      if (!before) continue;
      known.set(report.destinationId, { ...before, state: observe(before.state, report, { owner, nowMs }) });
    }
  }

  function tickAll(outstanding: ReadonlyMap<number, number>, nowMs: number): void {
    for (const [id, before] of known) {
      const idleMs = nowMs - before.state.busyAtMs;
      const isClosed = before.state.breaker.kind === 'closed';
      if (isClosed && idleMs > forgetAfterMs) known.delete(id);
      if (isClosed && idleMs > tickIdleForMs && !outstanding.get(id)) continue;
      const state = tick(before.state, {
        outstanding: outstanding.get(id) ?? 0,
        nowMs,
        limits: limitsOf(id),
        ceiling,
        random: random(),
      });
      known.set(id, { ...before, state });
    }
  }

  /** What workers act on at once, what is only shown once a second. */
  async function publish(nowMs: number): Promise<void> {
    const due = new Map<number, PublishedPace>();
    for (const [id, { state, published, publishedAtMs }] of known) {
      const pace = paceOf(state, nowMs);
      const isShown = nowMs - publishedAtMs >= publishEveryMs && nowMs - state.busyAtMs <= showIdleForMs;
      if (isNews(published, pace) || isShown) due.set(id, toPublished(state, nowMs));
    }
    await publishPaces(redis, prefix, due);
    for (const [id, { pace }] of due) {
      known.set(id, { ...known.get(id)!, published: pace, publishedAtMs: nowMs });
    }
  }

  return {
    async learn(outstanding) {
      const nowMs = clock.monotonic();
      if (nowMs - learntAt < learnEveryMs) return;
      try {
        await learnOnce(outstanding, nowMs);
        if (isAway) log.info('pace learner: Redis is back');
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn({ err: error }, 'pace learner: Redis is away, the last paces stand');
        isAway = true;
      }
      learntAt = nowMs;
    },
    paceOf(id) {
      const found = known.get(id);
      if (!found) wanted.add(id);
      const nowMs = clock.monotonic();
      return paceOf(found?.state ?? coldState(nowMs, limitsOf(id), ceiling), nowMs);
    },
    *paces() {
      if (clock.monotonic() - learntAt > staleAfterMs) return;
      for (const { state } of known.values()) yield paceOf(state, clock.monotonic());
    },
  };
}

/** At most `mostLines`; not LPOP with a count, which Redis knows only from 6.2 on. A line of another release is left out. */
async function takeLines(redis: Redis, prefix: string): Promise<readonly ReportLine[]> {
  const key = reportsKey(prefix);
  const replies = await redis
    .multi()
    .lrange(key, 0, mostLines - 1)
    .ltrim(key, mostLines, -1)
    .exec();
  const texts = valueAt(replies, 0) as readonly string[];
  return texts.map(decodeReports).filter((line) => line !== undefined);
}
