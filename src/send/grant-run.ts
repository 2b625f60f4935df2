/**
 * One grant at work: which of its messages wait, which are out, and whether we may still start one.
 *
 * A message is `waiting` until its intent is asked for, `open` from then until its result is committed. The run is over when
 * nothing waits and nothing is open.
 */
import type { Grant } from '../ledger/grant.ts';
import type { LeaseTerms } from '../ledger/lease.ts';
import type { Bucket } from '../pacing/rate-gate.ts';
import type { CompiledMessage, RenderedMessage, RenderedMessages } from '../render/message.ts';
import type { CampaignTerms } from './campaign-terms.ts';
import type { OpenBudget } from './open-budget.ts';
import { WaitingMessages } from './waiting-messages.ts';

export interface GrantRunOptions {
  readonly grant: Grant;
  readonly compiled: CompiledMessage;
  readonly messages: RenderedMessages;
  readonly terms: CampaignTerms;
  /** Transactional (0) goes first. */
  readonly class: number;
  /** Monotonic ms at which the claim was asked for: the lease is at least that fresh. */
  readonly claimedAt: number;
  readonly lease: LeaseTerms;
  readonly budget: OpenBudget;
  /** What log lines about it are to carry; asked when one is written. Default: nothing. */
  readonly fields?: () => object;
}

export class GrantRun {
  readonly grant: Grant;
  readonly compiled: CompiledMessage;
  readonly terms: CampaignTerms;
  readonly class: number;
  /** Resolves when the run is over. */
  readonly over: Promise<void>;
  #waiting: WaitingMessages;
  #isStopped = false;
  #open = 0;
  readonly #trustMs: number;
  #trustedUntil: number;
  #holdMs = 0;
  #laneHoldMs = 0;
  #restsUntil = 0;
  readonly #budget: OpenBudget;
  readonly #fields: (() => object) | undefined;
  #resolveOver: () => void = () => {};

  constructor(options: GrantRunOptions) {
    this.grant = options.grant;
    this.compiled = options.compiled;
    this.terms = options.terms;
    this.class = options.class;
    this.#budget = options.budget;
    this.#fields = options.fields;
    this.#waiting = new WaitingMessages(options.messages);
    this.#trustMs = options.lease.leaseMs - options.lease.marginMs;
    this.#trustedUntil = options.claimedAt + this.#trustMs;
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    this.#endIfOver();
  }

  /** For log lines about it: its chunk, its lane, its trace. */
  get fields(): object {
    return this.#fields?.() ?? {};
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get open(): number {
    return this.#open;
  }

  /** The rates of its own that hold for it, besides the destination's: its campaign's and its tenant's. */
  get buckets(): readonly Bucket[] {
    return this.terms.buckets;
  }

  /** Are there messages that may go now? Not while its campaign's or its tenant's rate has none left: others go on meanwhile. */
  isReady(now: number): boolean {
    return this.#waiting.length > 0 && now >= this.#restsUntil;
  }

  restUntil(monotonicMs: number): void {
    this.#restsUntil = monotonicMs;
  }

  /** How long the rest of the chunk shall wait before it is dispatched again, ms. */
  get holdMs(): number {
    return this.#holdMs;
  }

  /** How long its whole lane shall wait, ms. */
  get laneHoldMs(): number {
    return this.#laneHoldMs;
  }

  /** Takes up to `n` messages out; each must come back through `close` or `giveBack`. */
  take(n: number): readonly RenderedMessage[] {
    const taken = this.#waiting.take(n);
    this.#open += taken.length;
    this.#budget.opened(taken.length);
    return taken;
  }

  /** Messages that were taken and not asked an intent for wait again. */
  giveBack(messages: readonly RenderedMessage[]): void {
    if (!this.#isStopped) this.#waiting.giveBack(messages);
    this.close(messages.length);
  }

  /** `n` messages that were taken are settled in the ledger, or were never granted. */
  close(n: number): void {
    this.#open -= n;
    this.#budget.closed(n);
    this.#endIfOver();
  }

  /**
   * No further message is taken; what is out finishes. The rest stays pending, for at least `holdMs`, and its whole lane with it, unless the reason
   * is the run's own (its campaign's rate): others of the lane may go on.
   */
  stop(holdMs = 0, { isOwn = false } = {}): void {
    this.#isStopped = true;
    this.#waiting = new WaitingMessages([]);
    this.#holdMs = Math.max(this.#holdMs, holdMs);
    if (!isOwn) this.#laneHoldMs = Math.max(this.#laneHoldMs, holdMs);
    this.#endIfOver();
  }

  /** May a message start now? Asked again at the last moment, after the 354. */
  isTrusted(now: number): boolean {
    return now < this.#trustedUntil;
  }

  /** The lease was renewed by a statement asked for at `askedAt`. */
  renewed(askedAt: number): void {
    if (this.#trustedUntil > 0) this.#trustedUntil = askedAt + this.#trustMs;
  }

  /** The chunk is no longer ours. */
  lose(): void {
    this.#trustedUntil = 0;
    this.stop();
  }

  #endIfOver(): void {
    if (this.waiting === 0 && this.#open === 0) this.#resolveOver();
  }
}
