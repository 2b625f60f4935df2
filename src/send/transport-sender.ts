/**
 * Sends the running grants of one transport over its couriers.
 *
 * Runs are served oldest first, so that few chunks are on the wire at a time and their ledger writes come in large groups. Each courier takes the
 * next ready message, hands it over and reports what became of it. The first courier is a probe: while none is open, just
 * one is tried, and when it can't be opened all grants end, to be dispatched again later.
 */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Courier, OpenFailure, Outcome, Transport } from '../transports/contract.ts';
import { type ConnectBackoff, createConnectBackoff } from './connect-backoff.ts';
import type { GrantRun } from './grant-run.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { mayStart, type Outgoing } from './outgoing.ts';
import { ReadyQueue } from './ready-queue.ts';
import { type RetryRules, toResult } from './result-policy.ts';
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
  readonly #couriers = new Set<Promise<void>>();
  #runs: GrantRun[] = [];
  #open = 0;
  #opening = 0;
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

  /** Starts nothing more; what is on the wire finishes, what had an intent and did not start is retracted. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const run of this.#runs) run.stop();
    this.#ready.close((outgoing) => this.#retract(outgoing, 'the worker stopped'));
    await Promise.all(this.#couriers);
  }

  #openCouriers(): void {
    while (this.#wantsCourier()) {
      this.#opening++;
      const courier = this.#runCourier();
      this.#couriers.add(courier);
      void courier.finally(() => {
        this.#couriers.delete(courier);
        this.#openCouriers();
      });
    }
  }

  #wantsCourier(): boolean {
    const now = this.#clock.monotonic();
    if (this.#isStopping || now < this.#closedUntil || now < this.#openAgainAt) return false;
    const work = this.#ready.length + this.#runs.reduce((sum, run) => sum + run.waiting, 0);
    const most = this.#open === 0 ? 1 : this.#transport.capabilities.maxCouriers;
    return this.#open + this.#opening < Math.min(most, work);
  }

  async #runCourier(): Promise<void> {
    const result = await this.#transport.open();
    this.#opening--;
    if (result.kind === 'failed') return this.#openFailed(result.failure);
    this.#open++;
    this.#backoff.succeeded();
    this.#options.metrics.couriers.inc();
    this.#openCouriers();
    this.#intake.fill();
    await this.#carry(result.courier);
    this.#open--;
    this.#options.metrics.couriers.dec();
    await result.courier.close();
  }

  /** Messages one after another, until the courier has done its share or there will be none. */
  async #carry(courier: Courier): Promise<void> {
    while (courier.isUsable && !this.#isStopping) {
      const outgoing = await this.#ready.next();
      if (!outgoing) return;
      // It may have died while it waited: the message goes to another.
      if (courier.isUsable) await this.#handOver(courier, outgoing);
      else this.#ready.putBack(outgoing);
      this.#intake.fill();
    }
  }

  async #handOver(courier: Courier, outgoing: Outgoing): Promise<void> {
    const { run, message } = outgoing;
    if (this.#isStopping || !mayStart(outgoing, this.#clock.monotonic())) {
      return this.#retract(outgoing, 'it could not start in time');
    }
    const stopTimer = this.#options.metrics.deliverSeconds.startTimer();
    const outcome = await this.#deliver(courier, outgoing);
    stopTimer();
    this.#intake.meter();
    if (outcome.kind === 'untransmitted' && this.#tryAgain(outgoing)) return;
    this.#options.metrics.outcomes.inc({
      outcome: outcome.kind,
      class: 'class' in outcome ? outcome.class : '',
    });
    this.#react(run, outcome);
    this.#writer.write(run, toResult(message.seq, outcome, this.#options.rules, Math.random()));
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

  /** Nothing left, so the intent still stands: another courier may take it. */
  #tryAgain(outgoing: Outgoing): boolean {
    const failures = outgoing.failures + 1;
    if (failures >= handoversAtOnce || this.#isStopping) return false;
    this.#ready.putBack({ ...outgoing, failures });
    this.#openCouriers();
    return true;
  }

  /** What an outcome says of more than its own message. */
  #react(run: GrantRun, outcome: Outcome): void {
    if (outcome.kind === 'untransmitted') run.stop(brokenHoldMs);
    if ('class' in outcome && outcome.class === 'account') this.#closeFor(accountHoldMs);
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
    if (this.#open > 0) this.#openAgainAt = this.#clock.monotonic() + openAgainAfterMs;
    else this.#closeFor(this.#backoff.failed(Math.random()));
  }

  #closeFor(ms: number): void {
    this.#closedUntil = this.#clock.monotonic() + ms;
    for (const run of this.#runs) run.stop(ms);
  }
}
