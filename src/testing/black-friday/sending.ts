/** One destination of the cell: what was dispatched to it, the provider behind it, and what the real learner makes of its answers. */
import { coldState, observe, paceOf, tick } from '../../pacing/learn.ts';
import type { Pace, PaceReport } from '../../pacing/pace.ts';
import type { PaceState } from '../../pacing/pace-state.ts';
import { replySeconds } from './calibration.ts';
import { type Portion, takeFrom } from './lanes.ts';
import type { Answered, Provider } from './provider.ts';

const owner = 'fleet';
/** Nothing could leave for so long and there is no connection: it goes back to the ledger (destination-sender.ts). */
const patienceMs = 3_000;
/** Failed connections that workers report together. */
const triedAtOnce = 5;

export interface Handed {
  readonly portions: readonly Portion[];
  readonly messages: number;
  readonly answered: Answered;
}

export class DestinationSending {
  readonly provider: Provider;
  readonly #ceiling: number;
  #state: PaceState;
  #queue: Portion[] = [];
  #credit = 0;
  #stuckSinceMs: number | undefined;
  readonly byTenant = new Map<number, number>();
  outstanding = 0;
  /** Before what left in this step: a step is longer than an answer takes, and what is under way counts as outstanding. */
  #held = 0;

  constructor(provider: Provider, ceiling: number) {
    this.provider = provider;
    this.#ceiling = ceiling;
    this.#state = coldState(0, {}, ceiling);
  }

  pace(nowMs: number): Pace {
    return paceOf(this.#state, nowMs);
  }

  learn(nowMs: number, random: number): void {
    const outstanding = this.#held;
    this.#state = tick(this.#state, { outstanding, nowMs, limits: {}, ceiling: this.#ceiling, random });
  }

  dispatch(portions: readonly Portion[]): void {
    for (const portion of portions) {
      this.#queue.push(portion);
      this.#count(portion.campaign.tenantId, portion.n);
    }
  }

  /** What workers would hand over in this step, if there were enough of them. */
  wanted(nowMs: number, stepMs: number): number {
    this.#held = this.outstanding;
    if (this.provider.isAway) return 0;
    const { learntPerSecond = Number.POSITIVE_INFINITY, breaker } = this.pace(nowMs);
    if (breaker === 'open') return 0;
    const ofStep = (learntPerSecond * stepMs) / 1_000;
    this.#credit = Math.min(this.#credit + ofStep, Math.max(1, 2 * ofStep));
    return Math.floor(Math.min(this.outstanding, this.#credit));
  }

  handOver(messages: number, stepMs: number): Handed {
    this.#credit -= messages;
    const portions = takeFrom(this.#queue, messages);
    let retries = 0;
    for (const portion of portions) {
      this.#count(portion.campaign.tenantId, -portion.n);
      if (portion.attempts > 0) retries += portion.n;
    }
    return { portions, messages, answered: this.provider.take(messages, retries, stepMs) };
  }

  /** What workers tell the leader of the step. */
  report({ answered, messages }: Handed, nowMs: number): void {
    const isTrying = this.provider.isAway && this.outstanding > 0;
    if (messages === 0 && !isTrying) return;
    const report: PaceReport = {
      ...{ destinationId: 0, timedOut: 0, restMs: 0, replies: [] },
      ...{
        accepted: answered.accepted,
        refused: answered.bounced + answered.deferred,
        throttled: answered.throttled,
      },
      ...{ opened: messages > 0 ? 1 : 0, openFailures: isTrying ? triedAtOnce : 0 },
      ...{ inFlight: this.outstanding, connections: Math.ceil(messages * replySeconds) },
    };
    this.#state = observe(this.#state, report, { owner, nowMs });
  }

  /** What goes back to the ledger because nothing can leave. */
  giveUp(nowMs: number): readonly Portion[] {
    if (!this.provider.isAway || this.outstanding === 0) this.#stuckSinceMs = undefined;
    else this.#stuckSinceMs ??= nowMs;
    if (this.#stuckSinceMs === undefined || nowMs - this.#stuckSinceMs < patienceMs) return [];
    this.#stuckSinceMs = undefined;
    return this.giveBack();
  }

  giveBack(): readonly Portion[] {
    const portions = this.#queue;
    this.#queue = [];
    this.outstanding = 0;
    this.byTenant.clear();
    return portions;
  }

  /** The connections are lost: what was on them is in doubt. It has left the queue already; its answers stand for those that came. */
  loseWire(): number {
    return Math.ceil(this.#state.measuredPerSecond * replySeconds);
  }

  /** Redis is lost with the rest of the cell: the leader starts cold. */
  forget(nowMs: number): void {
    this.#state = coldState(nowMs, {}, this.#ceiling);
    this.#credit = 0;
  }

  #count(tenantId: number, messages: number): void {
    const held = (this.byTenant.get(tenantId) ?? 0) + messages;
    if (held > 0) this.byTenant.set(tenantId, held);
    else this.byTenant.delete(tenantId);
    this.outstanding += messages;
  }
}
