/**
 * The intake of one destination: keeps just enough messages ready for its couriers.
 *
 * An intent is asked for only when a courier is open, the ledger keeps up and the rate has a token. As many are kept ready as left in the last
 * quarter of a second, or as couriers are idle: enough that these never wait, few enough that each starts well within a second.
 */
import type { GroupCommit } from '../ledger/group-commit.ts';
import { type IntentResult, largestIntent, recordIntent } from '../ledger/intent.ts';
import type { Bucket, RateGate } from '../pacing/rate-gate.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { RenderedMessage } from '../render/message.ts';
import type { Announcements } from './announcements.ts';
import type { GrantRun } from './grant-run.ts';
import type { MessageSigning, SignMessages } from './message-signing.ts';
import { mostBeyondTheWire, type OpenBudget } from './open-budget.ts';
import type { Outgoing } from './outgoing.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { ResultWriter } from './result-writer.ts';

export interface IntakeOptions {
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
  readonly owner: string;
  readonly writer: ResultWriter;
  readonly ready: ReadyQueue;
  readonly announced: Announcements;
  readonly rateGate: RateGate;
  readonly signing: MessageSigning;
  /** Rates that hold for every message here: the destination's, set or learnt, and the transport's. */
  readonly buckets: () => readonly Bucket[];
  readonly budget: OpenBudget;
  /** Couriers that are open: without one no intent is asked for. */
  readonly openCouriers: () => number;
  /** Takes messages whose intent is committed. */
  readonly admit: (outgoing: readonly Outgoing[]) => void;
  /** The run to be served next, of those with messages that may go now (`run-queue.ts`). */
  readonly nextRun: (now: number) => GrantRun | undefined;
}

/** What it is given that its destination's sender was given too. */
export type IntakeParts = Omit<
  IntakeOptions,
  'ready' | 'announced' | 'openCouriers' | 'buckets' | 'admit' | 'nextRun'
>;

interface Signed extends Pick<Outgoing, 'intendedAt'> {
  /** Undefined: they could not be signed. */
  readonly signed: readonly RenderedMessage[] | undefined;
}

const meterWindowMs = 250;
/** Of what is free to all, one destination may take this many times the rest: so that one whose couriers hang leaves room. */
const shareOfBudget = 4;
/** A token that takes longer to come ends the grant: nobody sleeps on a rate limit. */
const longestTokenWaitMs = 2_000;
const ledgerPauseMs = 500;

export class Intake {
  readonly #options: IntakeOptions;
  #asked = 0;
  #left = 0;
  #leftBefore = 0;
  #windowStart = 0;
  #holds = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** One message left: the meter that decides how many to keep ready. */
  meter(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#windowStart > meterWindowMs) {
      this.#leftBefore = now - this.#windowStart > 2 * meterWindowMs ? 0 : this.#left;
      this.#left = 0;
      this.#windowStart = now;
    }
    this.#left++;
  }

  /** Asks for as many intents as are wanted now. Called whenever something changes; does nothing when nothing is wanted. */
  fill(): void {
    for (let run = this.#runToFeed(); run; run = this.#runToFeed()) {
      const messages = run.take(Math.min(this.#missing(), largestIntent));
      this.#asked += messages.length;
      void this.#ask(run, messages).finally(() => {
        this.#asked -= messages.length;
        this.fill();
      });
    }
  }

  #runToFeed(): GrantRun | undefined {
    const { openCouriers, ready, writer, budget, nextRun } = this.#options;
    if (this.#holds > 0 || openCouriers() === 0) return undefined;
    if (!writer.hasRoom) this.#hold(writer.whenRoom());
    else if (budget.free <= 0) this.#hold(budget.whenFree());
    if (this.#holds > 0) return undefined;
    const isStarved = ready.length === 0 && this.#asked === 0;
    const isWorthwhile = this.#missing() >= Math.min(largestIntent, this.#target() / 2);
    const mayAsk = (isStarved || isWorthwhile) && this.#missing() > 0;
    return mayAsk ? nextRun(this.#options.clock.monotonic()) : undefined;
  }

  /**
   * What is intended and has no committed result yet is what a crash leaves in doubt: beyond the wire never more than two groups, results
   * that wait to be written included.
   */
  #missing(): number {
    const { ready, announced, budget } = this.#options;
    const own = ready.length + announced.length + this.#asked;
    const { free } = budget;
    return Math.min(this.#target() - own, free, Math.ceil(free * shareOfBudget) - own);
  }

  #target(): number {
    return Math.min(Math.max(this.#left, this.#leftBefore, this.#options.ready.idle), mostBeyondTheWire);
  }

  /** Taken before the first wait: what waits is asked for once, and a token is never taken for a message that is not there. */
  async #ask(run: GrantRun, messages: readonly RenderedMessage[]): Promise<void> {
    const sign = await this.#options.signing.begin(run);
    if (typeof sign === 'number') return this.#leave(run, messages, sign);
    const tokens = await this.#takeTokens(run, messages.length);
    run.giveBack(messages.slice(tokens));
    if (tokens > 0) await this.#askLedger(run, messages.slice(0, tokens), sign);
  }

  /** They are not to leave unsigned. Stopped first: what is given back then stays pending. */
  #leave(run: GrantRun, messages: readonly RenderedMessage[], holdMs: number): void {
    run.stop(holdMs, { isOwn: true });
    run.giveBack(messages);
  }

  async #askLedger(run: GrantRun, messages: readonly RenderedMessage[], sign: SignMessages): Promise<void> {
    // Before the statement: were we stopped while its answer waits for us, an intent counted from then would look fresh.
    const intendedAt = this.#options.clock.monotonic();
    const signing = this.#sign(run, messages, sign);
    try {
      const granted = this.#heed(run, messages, await this.#intend(run, messages));
      this.#admit(run, granted, { intendedAt, signed: await signing });
    } catch (error) {
      this.#options.log.error({ err: error, ...run.fields }, 'intent not written');
      this.#retractAll(
        run,
        messages.map(({ seq }) => seq),
      );
      this.#hold(timer(ledgerPauseMs));
    }
  }

  /** While the intent is written. Where it fails, none of the run leaves. Never rejects: nobody listens until the intent is there. */
  async #sign(
    run: GrantRun,
    messages: readonly RenderedMessage[],
    sign: SignMessages,
  ): Promise<readonly RenderedMessage[] | undefined> {
    try {
      return await sign(messages);
    } catch (error) {
      this.#options.log.error({ err: error, ...run.fields }, 'messages not signed');
      run.stop(this.#options.signing.failedHoldMs, { isOwn: true });
      return undefined;
    }
  }

  /** How many may start within the next second. */
  async #takeTokens(run: GrantRun, wanted: number): Promise<number> {
    const buckets = [...this.#options.buckets(), ...run.buckets];
    if (buckets.length === 0) return wanted;
    const slowest = Math.min(...buckets.map((bucket) => bucket.perSecond));
    const { granted, waitMs, limitedBy } = await this.#options.rateGate.take(
      buckets,
      Math.min(wanted, Math.max(1, Math.ceil(slowest))),
    );
    if (granted === 0) this.#waitForToken(run, waitMs, limitedBy);
    return granted;
  }

  /** Nobody sleeps on a rate: the destination's holds its intake, a campaign's or a tenant's only the run. */
  #waitForToken(run: GrantRun, waitMs: number, limitedBy: string | undefined): void {
    const isRunsOwn = run.buckets.some((bucket) => bucket.name === limitedBy);
    if (waitMs > longestTokenWaitMs) {
      run.stop(waitMs, { isOwn: isRunsOwn });
    } else if (isRunsOwn) {
      run.restUntil(this.#options.clock.monotonic() + waitMs);
      setTimeout(() => this.fill(), waitMs);
    } else {
      this.#hold(timer(waitMs));
    }
  }

  #intend(run: GrantRun, messages: readonly RenderedMessage[]): Promise<IntentResult> {
    const { commits, owner } = this.#options;
    const { grant, terms } = run;
    const seqs = messages.map((message) => message.seq);
    const request = { grant, owner, seqs, includedLists: terms.includedLists };
    return commits.runStatement((sql) => recordIntent(sql, request));
  }

  /** Answers those that may leave. */
  #heed(run: GrantRun, messages: readonly RenderedMessage[], { granted, stop }: IntentResult): Set<number> {
    if (stop === 'lost') run.lose();
    else if (stop) run.stop();
    run.close(messages.length - granted.length);
    return new Set(granted);
  }

  #admit(run: GrantRun, granted: ReadonlySet<number>, { intendedAt, signed }: Signed): void {
    if (!signed) this.#retractAll(run, granted);
    const mine = (signed ?? []).filter((message) => granted.has(message.seq));
    this.#options.admit(mine.map((message) => ({ run, message, intendedAt, failures: 0 })));
  }

  /** The commit may have happened without our hearing of it: rows that are `attempting` at our epoch go back to pending. */
  #retractAll(run: GrantRun, seqs: Iterable<number>): void {
    for (const seq of seqs) {
      this.#options.writer.write(run, { seq, state: 'pending', replyCode: 0, reason: null });
    }
  }

  /** Asks for nothing for so long: the destination has just said that it wants less, and the new rate is on its way. */
  rest(ms: number): void {
    this.#hold(timer(ms));
  }

  #hold(until: Promise<void>): void {
    this.#holds++;
    void until.then(() => {
      this.#holds--;
      this.fill();
    });
  }
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
