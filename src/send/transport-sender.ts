/**
 * Sends the running grants of one transport over its couriers.
 *
 * Runs are served oldest first, so that few chunks are on the wire at a time and their ledger writes come in large groups. Each courier takes the
 * next ready message, hands it over and reports what became of it. The first courier is a probe: until one could be opened, just
 * one is tried, and when none is left and none can be opened, all grants end, to be dispatched again later.
 */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Courier, OpenFailure, OpenResult, Outcome, Reply, Transport } from '../transports/contract.ts';
import { type ConnectBackoff, createConnectBackoff } from './connect-backoff.ts';
import type { GrantRun } from './grant-run.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { mayStart, type Outgoing } from './outgoing.ts';
import { ReadyQueue } from './ready-queue.ts';
import { type RetryRules, toResult, toStranded } from './result-policy.ts';
import type { ResultWriter } from './result-writer.ts';
import type { SendMetrics } from './send-metrics.ts';

export interface TransportSenderOptions
  extends Pick<
    IntakeOptions,
    'commits' | 'clock' | 'log' | 'owner' | 'writer' | 'rateGate' | 'transportId' | 'perSecond'
  > {
  readonly transport: Transport;
  readonly rules: RetryRules;
  readonly metrics: SendMetrics;
}

/** After a courier could not be opened beside others that are, ms. */
const openAgainAfterMs = 1_000;
/** When the first courier can't be opened, ms; doubles. */
const longestFirstHoldMs = 15_000;
const accountHoldMs = 60_000;
const brokenHoldMs = 5_000;
/** Longer than any transaction: nothing is cut off. */
const longestMs = 1_800_000;
/** A message that provably did not leave is handed over again at once, this many times. */
const handoversAtOnce = 3;

export class TransportSender {
  readonly #options: TransportSenderOptions;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #writer: ResultWriter;
  readonly #backoff: ConnectBackoff;
  readonly #ready = new ReadyQueue();
  readonly #intake: Intake;
  /** Couriers at work, and what they do: a stop waits for these. */
  readonly #serving = new Map<Courier, Promise<void>>();
  #runs: GrantRun[] = [];
  /** Couriers that can take a message, are being opened, and all that hold a connection, closing ones included. */
  #open = 0;
  #opening = 0;
  #connections = 0;
  /** The last courier could be opened. While that is not so, just one is tried at a time. */
  #isProven = false;
  #closedUntil = 0;
  #openAgainAt = 0;
  #isStopping = false;

  constructor(options: TransportSenderOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#writer = options.writer;
    this.#backoff = createConnectBackoff(Math.min(longestFirstHoldMs, options.rules.firstDelayMs));
    this.#intake = new Intake({
      ...options,
      ready: this.#ready,
      openCouriers: () => this.#open,
      nextRun: () => this.#runs.find((run) => run.waiting > 0),
      admit: (outgoing) => this.#admit(outgoing),
    });
  }

  /** Resolves when the run is over: all its messages settled in the ledger, or left pending. */
  async send(run: GrantRun): Promise<void> {
    const closedMs = this.#closedUntil - this.#clock.monotonic();
    if (this.#isStopping || closedMs > 0) run.stop(Math.max(closedMs, 0));
    this.#runs.push(run);
    this.#openCouriers();
    this.#intake.fill();
    await run.over;
    this.#runs = this.#runs.filter((other) => other !== run);
  }

  /**
   * Starts nothing more; what is on the wire finishes, what had an intent and did not start is retracted. Connections that are still
   * being opened are not waited for. What takes longer than `cutAfterMs` is cut off: its outcome then says how far it got, and is
   * recorded, where the process's own end would have left it in doubt. Idempotent.
   */
  async stop(cutAfterMs = longestMs): Promise<void> {
    this.#isStopping = true;
    for (const run of this.#runs) run.stop();
    this.#ready.close((outgoing) => this.#retract(outgoing, 'the worker stopped'));
    const cut = setTimeout(() => {
      for (const courier of this.#serving.keys()) void courier.close();
    }, cutAfterMs);
    await Promise.all(this.#serving.values());
    clearTimeout(cut);
  }

  #openCouriers(): void {
    while (this.#wantsCourier()) {
      this.#opening++;
      this.#connections++;
      void this.#runCourier().finally(() => {
        this.#connections--;
        this.#openCouriers();
      });
    }
  }

  #wantsCourier(): boolean {
    const coming = this.#open + this.#opening;
    if (this.#isStopping || this.#isClosed()) return false;
    // With none left the wait is void: nobody would come for the messages that are ready.
    if (coming > 0 && this.#clock.monotonic() < this.#openAgainAt) return false;
    const { maxCouriers } = this.#transport.capabilities;
    const work = this.#ready.length + this.#runs.reduce((sum, run) => sum + run.waiting, 0);
    return coming < Math.min(this.#isProven ? maxCouriers : 1, work) && this.#connections < maxCouriers;
  }

  #isClosed(): boolean {
    return this.#clock.monotonic() < this.#closedUntil;
  }

  async #runCourier(): Promise<void> {
    const result = await this.#tryOpen();
    this.#opening--;
    if (result.kind === 'failed') return this.#openFailed(result.failure);
    if (this.#isStopping) return result.courier.close();
    const serving = this.#serve(result.courier);
    this.#serving.set(result.courier, serving);
    await serving;
    this.#serving.delete(result.courier);
  }

  async #tryOpen(): Promise<OpenResult> {
    try {
      return await this.#transport.open();
    } catch (error) {
      this.#log.error({ err: error, transportId: this.#options.transportId }, 'transport failed to open');
      return {
        kind: 'failed',
        failure: { cause: 'refused', reply: { code: 0, text: 'the transport failed' } },
      };
    }
  }

  async #serve(courier: Courier): Promise<void> {
    this.#open++;
    this.#isProven = true;
    this.#backoff.succeeded();
    this.#options.metrics.couriers.inc();
    this.#openCouriers();
    await this.#carry(courier);
    this.#open--;
    this.#options.metrics.couriers.dec();
    this.#openCouriers();
    await courier.close();
  }

  /** Messages one after another, until the courier has done its share or there will be none. */
  async #carry(courier: Courier): Promise<void> {
    while (courier.isUsable && !this.#isStopping) {
      const next = this.#ready.next();
      // Only now does this courier count as idle, if it is.
      this.#intake.fill();
      const outgoing = await next;
      if (!outgoing) return;
      // It may have died while it waited: the message goes to another.
      if (courier.isUsable) await this.#handOver(courier, outgoing);
      else this.#putBack(outgoing);
    }
  }

  /**
   * What is ready is always fetched: there is a courier, or one is being opened. Where that ends (`#closeFor`), all that is ready is
   * retracted, and until then nothing more is let in; otherwise its run would never be over.
   */
  #admit(outgoing: readonly Outgoing[]): void {
    for (const one of outgoing) {
      if (this.#isClosed()) this.#retract(one, 'no connection could be opened');
      else this.#ready.push(one);
    }
    this.#openCouriers();
  }

  #putBack(outgoing: Outgoing): void {
    if (this.#isClosed()) this.#retract(outgoing, 'no connection could be opened');
    else this.#ready.putBack(outgoing);
    this.#openCouriers();
  }

  async #handOver(courier: Courier, outgoing: Outgoing): Promise<void> {
    const { run, message } = outgoing;
    const now = this.#clock.monotonic();
    // Its lease was not renewed in time. The rest of it would be intended and retracted, over and over.
    if (!run.isTrusted(now)) run.stop();
    if (this.#isStopping || !mayStart(outgoing, now)) {
      return this.#retract(outgoing, 'it could not start in time');
    }
    const stopTimer = this.#options.metrics.deliverSeconds.startTimer();
    const outcome = await this.#deliver(courier, outgoing);
    stopTimer();
    this.#intake.meter();
    if (outcome.kind === 'untransmitted') return this.#handOverAgain(outgoing, outcome.reply);
    this.#count(outcome);
    if ('class' in outcome && outcome.class === 'account') this.#closeFor(accountHoldMs);
    this.#writer.write(run, toResult(message.seq, outcome, this.#options.rules, Math.random()));
  }

  #count(outcome: Outcome): void {
    const { metrics } = this.#options;
    metrics.outcomes.inc({ outcome: outcome.kind, class: 'class' in outcome ? outcome.class : '' });
  }

  /** A throw is a bug, and says nothing about what has left: the message is in doubt. */
  async #deliver(courier: Courier, { run, message }: Outgoing): Promise<Outcome> {
    try {
      const outbound = { compiled: run.compiled, rendered: message };
      const [outcome] = await courier.deliver([outbound], () => run.isTrusted(this.#clock.monotonic()));
      if (outcome) return outcome;
      throw new Error('the transport gave no outcome');
    } catch (error) {
      this.#log.error({ err: error, campaignId: run.grant.campaignId }, 'transport failed');
      return { kind: 'unknown', reply: { code: 0, text: 'the transport failed' } };
    }
  }

  /** Nothing left, so the intent still stands: another courier may take it, but not for ever. */
  #handOverAgain(outgoing: Outgoing, reply: Reply): void {
    const { run, message } = outgoing;
    const failures = outgoing.failures + 1;
    if (failures < handoversAtOnce) {
      this.#putBack({ ...outgoing, failures });
      return;
    }
    this.#count({ kind: 'untransmitted', reply });
    run.stop(brokenHoldMs);
    this.#writer.write(run, toStranded(message.seq, reply, this.#options.rules, Math.random()));
  }

  #retract({ run, message }: Outgoing, reason: string): void {
    this.#writer.write(run, { seq: message.seq, state: 'pending', replyCode: 0, reason });
  }

  #openFailed(failure: OpenFailure): void {
    const { transportId, metrics } = this.#options;
    metrics.openFailures.inc({ cause: failure.cause });
    this.#log.warn(
      { transportId, cause: failure.cause, reply: failure.reply.text },
      'no courier could be opened',
    );
    if (this.#open + this.#opening > 0) {
      this.#openAgainAt = this.#clock.monotonic() + openAgainAfterMs;
      return;
    }
    this.#isProven = false;
    this.#closeFor(this.#backoff.failed(Math.random()));
  }

  #closeFor(ms: number): void {
    this.#closedUntil = this.#clock.monotonic() + ms;
    for (const run of this.#runs) run.stop(ms);
    for (const outgoing of this.#ready.drain()) this.#retract(outgoing, 'no connection could be opened');
  }
}
