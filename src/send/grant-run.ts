/**
 * One grant at work: which of its messages wait, which are out, and whether we may still start one.
 *
 * A message is `waiting` until its intent is asked for, `open` from then until its result is committed. The run is over when
 * nothing waits and nothing is open.
 */
import type { Grant } from '../ledger/grant.ts';
import type { LeaseTerms } from '../ledger/lease.ts';
import type { CompiledMessage, RenderedMessage } from '../render/message.ts';

export interface GrantRunOptions {
  readonly grant: Grant;
  readonly compiled: CompiledMessage;
  readonly messages: readonly RenderedMessage[];
  readonly scopes: readonly string[];
  /** Monotonic ms at which the claim was asked for: the lease is at least that fresh. */
  readonly claimedAt: number;
  readonly lease: LeaseTerms;
}

export class GrantRun {
  readonly grant: Grant;
  readonly compiled: CompiledMessage;
  readonly scopes: readonly string[];
  /** Resolves when the run is over. */
  readonly over: Promise<void>;
  #waiting: RenderedMessage[];
  #isStopped = false;
  #open = 0;
  readonly #trustMs: number;
  #trustedUntil: number;
  #holdMs = 0;
  #resolveOver: () => void = () => {};

  constructor(options: GrantRunOptions) {
    this.grant = options.grant;
    this.compiled = options.compiled;
    this.scopes = options.scopes;
    this.#waiting = [...options.messages];
    this.#trustMs = options.lease.leaseMs - options.lease.marginMs;
    this.#trustedUntil = options.claimedAt + this.#trustMs;
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    this.#endIfOver();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get open(): number {
    return this.#open;
  }

  /** How long the rest of the chunk shall wait before it is dispatched again, ms. */
  get holdMs(): number {
    return this.#holdMs;
  }

  /** Takes up to `n` messages out; each must come back through `close` or `giveBack`. */
  take(n: number): readonly RenderedMessage[] {
    const taken = this.#waiting.splice(0, n);
    this.#open += taken.length;
    return taken;
  }

  /** Messages that were taken and not asked an intent for wait again. */
  giveBack(messages: readonly RenderedMessage[]): void {
    if (!this.#isStopped) this.#waiting.unshift(...messages);
    this.close(messages.length);
  }

  /** `n` messages that were taken are settled in the ledger, or were never granted. */
  close(n: number): void {
    this.#open -= n;
    this.#endIfOver();
  }

  /** No further message is taken; what is out finishes. The rest stays pending, for at least `holdMs`. */
  stop(holdMs = 0): void {
    this.#isStopped = true;
    this.#waiting = [];
    this.#holdMs = Math.max(this.#holdMs, holdMs);
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
