/** The leader's memory of paces: what it has learnt of each destination, and what it last published of it. No I/O. */
import { adopt, toPublished } from './adopt-pace.ts';
import { coldState, observe, paceOf, resume, tick } from './learn.ts';
import type { DestinationLimits, Pace } from './pace.ts';
import type { PublishedPace } from './pace-coding.ts';
import type { PaceState } from './pace-state.ts';
import { isNews } from './publish-paces.ts';
import type { ReportLine } from './report-coding.ts';

export interface KnownPacesOptions {
  readonly limitsOf: (destinationId: number) => DestinationLimits;
  /** Most messages outstanding of any destination (DISPATCH_WINDOW_MESSAGES). */
  readonly ceiling: number;
  readonly random?: () => number;
}

const publishEveryMs = 1_000;
/** Idle so long, its measured rate has fallen to nothing: the last that is shown must not look busy. */
const showIdleForMs = 15_000;
const forgetAfterMs = 3_600_000;
/** Idle so long, a destination has been through all that time alone changes. */
const tickIdleForMs = 65_000;

interface Known {
  readonly state: PaceState;
  /** As it was last published, and when. */
  readonly published?: Pace | undefined;
  readonly publishedAtMs: number;
}

export class KnownPaces {
  readonly #options: KnownPacesOptions;
  readonly #known = new Map<number, Known>();

  constructor(options: KnownPacesOptions) {
    this.#options = options;
  }

  has(id: number): boolean {
    return this.#known.has(id);
  }

  clear(): void {
    this.#known.clear();
  }

  /** Of one that is not known: a cold start. */
  paceOf(id: number, nowMs: number): Pace {
    const { limitsOf, ceiling } = this.#options;
    return paceOf(this.#known.get(id)?.state ?? coldState(nowMs, limitsOf(id), ceiling), nowMs);
  }

  *paces(nowMs: number): Iterable<Pace> {
    for (const { state } of this.#known.values()) yield paceOf(state, nowMs);
  }

  adopt(id: number, published: PublishedPace | undefined, nowMs: number): void {
    const { limitsOf, ceiling } = this.#options;
    const state = adopt(published, { nowMs, limits: limitsOf(id), ceiling });
    this.#known.set(id, { state, published: published?.pace, publishedAtMs: 0 });
  }

  /** Nobody was heard for a while. */
  resume(): void {
    for (const [id, known] of this.#known) this.#known.set(id, { ...known, state: resume(known.state) });
  }

  observe({ owner, reports }: ReportLine, nowMs: number): void {
    for (const report of reports) {
      const before = this.#known.get(report.destinationId);
      if (!before) continue;
      const state = observe(before.state, report, { owner, nowMs });
      this.#known.set(report.destinationId, { ...before, state });
    }
  }

  tick(outstanding: ReadonlyMap<number, number>, nowMs: number): void {
    const { limitsOf, ceiling, random = Math.random } = this.#options;
    for (const [id, before] of this.#known) {
      const idleMs = nowMs - before.state.busyAtMs;
      const isClosed = before.state.breaker.kind === 'closed';
      if (isClosed && idleMs > forgetAfterMs) this.#known.delete(id);
      if (isClosed && idleMs > tickIdleForMs && !outstanding.get(id)) continue;
      const held = { outstanding: outstanding.get(id) ?? 0, nowMs, random: random() };
      const state = tick(before.state, { ...held, limits: limitsOf(id), ceiling });
      this.#known.set(id, { ...before, state });
    }
  }

  /** To be published: what workers act on at once, what is only shown once a second. */
  due(nowMs: number): ReadonlyMap<number, PublishedPace> {
    const due = new Map<number, PublishedPace>();
    for (const [id, { state, published, publishedAtMs }] of this.#known) {
      const isShown = nowMs - publishedAtMs >= publishEveryMs && nowMs - state.busyAtMs <= showIdleForMs;
      if (isNews(published, paceOf(state, nowMs)) || isShown) due.set(id, toPublished(state, nowMs));
    }
    return due;
  }

  published(paces: ReadonlyMap<number, PublishedPace>, nowMs: number): void {
    for (const [id, { pace }] of paces) {
      this.#known.set(id, { ...this.#known.get(id)!, published: pace, publishedAtMs: nowMs });
    }
  }
}
