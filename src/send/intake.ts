/**
 * The intake of one transport: keeps just enough messages ready for its couriers.
 *
 * An intent is asked for only when a courier is open, the ledger keeps up and the rate has a token. As many are kept ready as left in the last
 * quarter of a second, or as couriers are idle: enough that these never wait, few enough that each starts well within a second.
 */
import type { GroupCommit } from '../ledger/group-commit.ts';
import { type IntentResult, largestIntent, recordIntent } from '../ledger/intent.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { RenderedMessage } from '../render/message.ts';
import type { GrantRun } from './grant-run.ts';
import type { Outgoing } from './outgoing.ts';
import type { RateGate } from './rate-gate.ts';
import type { ReadyQueue } from './ready-queue.ts';
import type { ResultWriter } from './result-writer.ts';

export interface IntakeOptions {
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
  readonly owner: string;
  readonly writer: ResultWriter;
  readonly ready: ReadyQueue;
  readonly rateGate: RateGate;
  readonly transportId: number;
  readonly perSecond: number | undefined;
  /** Couriers that are open: without one no intent is asked for. */
  readonly openCouriers: () => number;
  /** Takes messages whose intent is committed. */
  readonly admit: (outgoing: readonly Outgoing[]) => void;
  /** The oldest run with messages waiting. */
  readonly nextRun: () => GrantRun | undefined;
}

interface Asked extends Pick<Outgoing, 'run' | 'intendedAt'> {
  readonly messages: readonly RenderedMessage[];
}

const meterWindowMs = 250;
const mostReady = 2 * largestIntent;
/** A token that takes longer to come ends the grant: nobody sleeps on a rate limit. */
const longestTokenWaitMs = 2_000;
const ledgerPauseMs = 500;

export class Intake {
  readonly #options: IntakeOptions;
  #asked = 0;
  #left = 0;
  #leftBefore = 0;
  #windowStart = 0;
  #isHeld = false;

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
    const { openCouriers, ready, writer, nextRun } = this.#options;
    if (this.#isHeld || openCouriers() === 0) return undefined;
    if (!writer.hasRoom) {
      this.#hold(writer.whenRoom());
      return undefined;
    }
    const isStarved = ready.length === 0 && this.#asked === 0;
    const isWorthwhile = this.#missing() >= Math.min(largestIntent, this.#target() / 2);
    return (isStarved || isWorthwhile) && this.#missing() > 0 ? nextRun() : undefined;
  }

  /**
   * What is intended and has no committed result yet is what a crash leaves in doubt: beyond the wire never more than two groups, results
   * that wait to be written included.
   */
  #missing(): number {
    const { ready, writer } = this.#options;
    return Math.min(this.#target(), mostReady - writer.unwritten) - ready.length - this.#asked;
  }

  #target(): number {
    return Math.min(Math.max(this.#left, this.#leftBefore, this.#options.ready.idle), mostReady);
  }

  /** Taken before the first wait: what waits is asked for once, and a token is never taken for a message that is not there. */
  async #ask(run: GrantRun, messages: readonly RenderedMessage[]): Promise<void> {
    const tokens = await this.#takeTokens(run, messages.length);
    run.giveBack(messages.slice(tokens));
    if (tokens > 0) await this.#askLedger(run, messages.slice(0, tokens));
  }

  async #askLedger(run: GrantRun, messages: readonly RenderedMessage[]): Promise<void> {
    // Before the statement: were we stopped while its answer waits for us, an intent counted from then would look fresh.
    const intendedAt = this.#options.clock.monotonic();
    try {
      this.#accept({ run, messages, intendedAt }, await this.#intend(run, messages));
    } catch (error) {
      this.#options.log.error({ err: error, campaignId: run.grant.campaignId }, 'intent not written');
      this.#retractAll(run, messages);
      this.#hold(timer(ledgerPauseMs));
    }
  }

  /** How many may start within the next second; without a limit, all. While Redis is away, none: the limit is not ours to guess. */
  async #takeTokens(run: GrantRun, wanted: number): Promise<number> {
    const { perSecond, rateGate, transportId, log } = this.#options;
    if (perSecond === undefined) return wanted;
    try {
      const { granted, waitMs } = await rateGate.take(
        transportId,
        perSecond,
        Math.min(wanted, Math.ceil(perSecond)),
      );
      if (granted === 0 && waitMs > longestTokenWaitMs) run.stop(waitMs);
      else if (granted === 0) this.#hold(timer(waitMs));
      return granted;
    } catch (error) {
      log.warn({ err: error }, 'no rate tokens: Redis is away');
      this.#hold(timer(ledgerPauseMs));
      return 0;
    }
  }

  #intend(run: GrantRun, messages: readonly RenderedMessage[]): Promise<IntentResult> {
    const { commits, owner } = this.#options;
    const { grant, scopes } = run;
    const seqs = messages.map((message) => message.seq);
    return commits.run((tx) => recordIntent(tx, { grant, owner, seqs, scopes }));
  }

  #accept({ run, messages, intendedAt }: Asked, { granted, stop }: IntentResult): void {
    const allowed = new Set(granted);
    if (stop === 'lost') run.lose();
    else if (stop) run.stop();
    run.close(messages.length - granted.length);
    const mine = messages.filter((message) => allowed.has(message.seq));
    this.#options.admit(mine.map((message) => ({ run, message, intendedAt, failures: 0 })));
  }

  /** The commit may have happened without our hearing of it: rows that are `attempting` at our epoch go back to pending. */
  #retractAll(run: GrantRun, messages: readonly RenderedMessage[]): void {
    for (const { seq } of messages) {
      this.#options.writer.write(run, { seq, state: 'pending', replyCode: 0, reason: null });
    }
  }

  #hold(until: Promise<void>): void {
    this.#isHeld = true;
    void until.then(() => {
      this.#isHeld = false;
      this.fill();
    });
  }
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
