/**
 * Sends the running grants of one destination over its couriers.
 *
 * Tenants are served in turn (`run-queue.ts`). Each courier takes the next ready message, hands it over and reports what became of it. A destination that hangs keeps its own
 * couriers and messages waiting, and nobody else's.
 */
import type { ConnectionSlots } from '../pacing/connection-slots.ts';
import type { DestinationLimits, Pace } from '../pacing/pace.ts';
import type { PaceFeed } from '../pacing/pace-feed.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { placeFields } from '../tracing/chunk-names.ts';
import type { Courier, OpenFailure, Outcome, Reply, Transport } from '../transports/contract.ts';
import { Announcements } from './announcements.ts';
import { createConnectBackoff } from './connect-backoff.ts';
import { CourierCrew } from './courier-crew.ts';
import { type CourierRound, goRound } from './courier-round.ts';
import { destinationBuckets } from './destination-buckets.ts';
import type { GrantRun } from './grant-run.ts';
import { HandOver } from './hand-over.ts';
import { Intake, type IntakeParts } from './intake.ts';
import { mayBeAnnounced, mayStart, type Outgoing } from './outgoing.ts';
import { ofOpenFailure } from './pace-events.ts';
import { ReadyQueue } from './ready-queue.ts';
import { type RetryRules, toResult, toStranded } from './result-policy.ts';
import type { ResultWriter } from './result-writer.ts';
import { RunQueue } from './run-queue.ts';
import type { SendMetrics } from './send-metrics.ts';

export interface DestinationSenderOptions extends IntakeParts {
  readonly transportId: number;
  readonly destinationId: number;
  readonly transport: Transport;
  readonly limits: DestinationLimits;
  /** Messages a second over all of the transport's destinations. */
  readonly transportPerSecond: number | undefined;
  readonly pace: PaceFeed;
  readonly slots: ConnectionSlots;
  readonly rules: RetryRules;
  readonly metrics: SendMetrics;
  /** The transport's destinations in use in this process. */
  readonly siblings: () => readonly number[];
  /** Told of every outcome: refusals for policy may make a sending domain rest (`sender-pausing.ts`). */
  readonly onOutcome: (run: GrantRun, outcome: Outcome) => void;
}

/** When the first courier can't be opened and the fleet has no say, ms; doubles. */
const longestFirstHoldMs = 15_000;
/** The same while the leader watches: its breaker decides how long it is to be. */
const watchedHoldMs = 1_500;
const accountHoldMs = 60_000;
const brokenHoldMs = 5_000;
/** Longer than any transaction: nothing is cut off. */
const longestMs = 1_800_000;
/** A message that provably did not leave is handed over again at once, this many times. */
const handoversAtOnce = 3;
/** After a refusal that asks for less, until the new rate has arrived. */
const throttledRestMs = 300;
const lookEveryMs = 500;
/** Nothing has left for so long: what waits goes back to the ledger. Sooner where there is no connection to wait for. */
const patienceMs = 10_000;
const patienceUnconnectedMs = 3_000;
const impatientHoldMs = 1_000;

export class DestinationSender {
  readonly #options: DestinationSenderOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #writer: ResultWriter;
  readonly #backoff;
  readonly #ready = new ReadyQueue();
  readonly #announced = new Announcements();
  readonly #intake: Intake;
  readonly #crew: CourierCrew;
  readonly #handOver: HandOver;
  readonly #round: CourierRound = {
    ready: this.#ready,
    announced: this.#announced,
    mayTake: (courier) => !this.#isStopping && !this.#crew.dismisses(courier),
    taken: () => this.#intake.fill(),
    putBack: (outgoing) => this.#putBack(outgoing),
    deliver: (courier, outgoing) => this.#deliver(courier, outgoing),
  };
  readonly #endWatch: () => void;
  readonly #runs = new RunQueue();
  #closedUntil = 0;
  #movedAt = 0;
  #look: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(options: DestinationSenderOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#writer = options.writer;
    this.#backoff = createConnectBackoff(Math.min(longestFirstHoldMs, options.rules.firstDelayMs));
    this.#crew = new CourierCrew({
      ...options,
      work: () => (this.#isClosed() ? 0 : this.#waiting()),
      busy: () => this.#handOver.onWire,
      allowed:
        options.limits.connections === undefined ? undefined : (wanted) => this.#allowedConnections(wanted),
      carry: (courier) => goRound(courier, this.#round),
      opened: () => this.#opened(),
      closed: () => options.metrics.couriers.dec(),
      failed: (failure, isLast) => this.#openFailed(failure, isLast),
    });
    this.#intake = new Intake({
      ...options,
      ready: this.#ready,
      announced: this.#announced,
      openCouriers: () => this.#crew.open,
      buckets: () => {
        const { learntPerSecond } = options.pace.paceOf(options.destinationId) ?? {};
        return destinationBuckets({ ...options, perSecond: options.limits.perSecond, learntPerSecond });
      },
      nextRun: (now) => this.#runs.next(now),
      admit: (outgoing) => this.#admit(outgoing),
    });
    this.#handOver = new HandOver({ ...options, onThrottled: () => this.#intake.rest(throttledRestMs) });
    this.#endWatch = options.pace.watch(options.destinationId, () => ({
      inFlight: this.#handOver.onWire + this.#waiting(),
      connections: this.#crew.connections,
    }));
  }

  /** Messages and connections it has: none for a while, and it can be let go. */
  get isIdle(): boolean {
    return this.#runs.isEmpty && this.#crew.connections === 0;
  }

  /** Resolves when the run is over: all its messages settled in the ledger, or left pending. */
  async send(run: GrantRun): Promise<void> {
    const closedMs = this.#closedUntil - this.#clock.monotonic();
    if (this.#isStopping || closedMs > 0) run.stop(Math.max(closedMs, 0));
    if (this.#runs.isEmpty) this.#movedAt = this.#clock.monotonic();
    this.#runs.add(run);
    this.#crew.fill();
    this.#intake.fill();
    this.#lookLater();
    await run.over;
    this.#runs.remove(run);
    // Said at once: other workers may have messages for its connections.
    if (this.#runs.isEmpty && !this.#isStopping) this.heedAllowance();
  }

  /** The fleet's view has changed: a closed destination gives its grants back at once. */
  heedPace({ closedForMs }: Pace): void {
    if (closedForMs > 0 && !this.#isClosed()) this.#closeFor(closedForMs);
  }

  /** How many connections are ours has changed: surplus ones that have nothing to do go home. */
  heedAllowance(): void {
    for (let surplus = this.#crew.surplus; surplus > 0; surplus--) this.#ready.dismiss();
    this.#crew.fill();
  }

  /**
   * Starts nothing more; what is on the wire finishes, what had an intent and did not start is retracted. Connections that are still
   * being opened are not waited for. What takes longer than `cutAfterMs` is cut off: its outcome then says how far it got, and is
   * recorded, where the process's own end would have left it in doubt. Idempotent.
   */
  async stop(cutAfterMs = longestMs): Promise<void> {
    this.#isStopping = true;
    this.#endWatch();
    for (const run of this.#runs) run.stop();
    this.#ready.close((outgoing) => this.#retract(outgoing, 'the worker stopped'));
    await this.#crew.stop(cutAfterMs);
    this.#options.slots.release(this.#options.destinationId);
  }

  #waiting(): number {
    return this.#ready.length + this.#announced.length + this.#runs.waiting;
  }

  #allowedConnections(wanted: number): number {
    const { slots, destinationId, limits } = this.#options;
    return slots.request(destinationId, { cap: limits.connections, wanted, held: this.#crew.connections });
  }

  #isClosed(): boolean {
    return this.#clock.monotonic() < this.#closedUntil;
  }

  #opened(): void {
    const { metrics, pace, destinationId } = this.#options;
    this.#backoff.succeeded();
    metrics.couriers.inc();
    pace.note(destinationId, { kind: 'opened' });
  }

  /** The courier is about to end a message: what it may announce with it. Once all is stopped or closed, nothing is ready. */
  #announce(courier: Courier): Outgoing | undefined {
    if (this.#crew.surplus > 0) return undefined;
    const now = this.#clock.monotonic();
    const outgoing = this.#ready.takeFirst((one) => mayBeAnnounced(one, now));
    if (outgoing) this.#announced.add(courier, outgoing);
    return outgoing;
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
    this.#crew.fill();
  }

  #putBack(outgoing: Outgoing): void {
    if (this.#isClosed()) this.#retract(outgoing, 'no connection could be opened');
    else this.#ready.putBack(outgoing);
    this.#crew.fill();
  }

  /** Answers whether the courier got it. */
  async #deliver(courier: Courier, outgoing: Outgoing): Promise<boolean> {
    const { run } = outgoing;
    const now = this.#clock.monotonic();
    // Its lease was not renewed in time. The rest of it would be intended and retracted, over and over.
    if (!run.isTrusted(now)) run.stop();
    if (!mayStart(outgoing, now)) {
      this.#retract(outgoing, 'it could not start in time');
      return false;
    }
    const outcome = await this.#handOver.deliver(courier, outgoing, () => this.#announce(courier));
    this.#intake.meter();
    this.#movedAt = this.#clock.monotonic();
    if (outcome.kind === 'untransmitted') this.#handOverAgain(outgoing, outcome.reply);
    else this.#settle(outgoing, outcome);
    return true;
  }

  #settle({ run, message }: Outgoing, outcome: Outcome): void {
    this.#handOver.count(outcome);
    if ('class' in outcome && outcome.class === 'account') this.#closeFor(accountHoldMs);
    this.#options.onOutcome(run, outcome);
    this.#writer.write(run, toResult(message.seq, outcome, this.#options.rules, Math.random()));
  }

  /** Nothing left, so the intent still stands: another courier may take it, but not for ever. */
  #handOverAgain(outgoing: Outgoing, reply: Reply): void {
    const { run, message } = outgoing;
    const failures = outgoing.failures + 1;
    if (failures < handoversAtOnce) {
      this.#putBack({ ...outgoing, failures });
      return;
    }
    this.#handOver.count({ kind: 'untransmitted', reply });
    run.stop(brokenHoldMs);
    this.#writer.write(run, toStranded(message.seq, reply, this.#options.rules, Math.random()));
  }

  #retract({ run, message }: Outgoing, reason: string): void {
    this.#writer.write(run, { seq: message.seq, state: 'pending', replyCode: 0, reason });
  }

  #openFailed(failure: OpenFailure, isLast: boolean): void {
    const { transportId, destinationId, metrics, pace } = this.#options;
    const { cause, reply } = failure;
    metrics.openFailures.inc({ cause });
    const fields = placeFields({ transportId, destinationId });
    this.#log.warn({ ...fields, cause, reply: reply.text }, 'no courier could be opened');
    if (!isLast) return;
    const isWatched = pace.paceOf(destinationId) !== undefined;
    pace.note(destinationId, ofOpenFailure(failure));
    this.#closeFor(isWatched ? watchedHoldMs * (0.5 + Math.random()) : this.#backoff.failed(Math.random()));
  }

  #closeFor(ms: number): void {
    this.#closedUntil = this.#clock.monotonic() + ms;
    for (const run of this.#runs) run.stop(ms);
    const waiting = [...this.#announced.retract(() => true), ...this.#ready.drain()];
    for (const outgoing of waiting) this.#retract(outgoing, 'no connection could be opened');
  }

  /** Couriers that hang ask for nothing; so somebody else looks after what waits for them. */
  #lookLater(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      this.#lookAfter();
      if (!this.isIdle) this.#lookLater();
    }, lookEveryMs);
  }

  #lookAfter(): void {
    const now = this.#clock.monotonic();
    const isLate = (outgoing: Outgoing) => !mayStart(outgoing, now);
    const late = [...this.#announced.retract(isLate), ...this.#ready.takeLate(isLate)];
    for (const outgoing of late) this.#retract(outgoing, 'it could not start in time');
    const patience = this.#crew.connections === 0 ? patienceUnconnectedMs : patienceMs;
    if (now - this.#movedAt > patience) for (const run of this.#runs) run.stop(impatientHoldMs);
    // Also says anew what connections are of use for: what waited and went back would go on asking for those that others want.
    if (!this.#isStopping) this.heedAllowance();
    this.#intake.fill();
  }
}
