/**
 * The open couriers of one destination: as many as there is work for, as the transport and the fleet allow, and as the other side puts up with.
 *
 * The first courier is a probe: until one could be opened, just one is tried. When one more is refused beside others that work, the other side has
 * said how many it wants: the crew stays that size for a while before it tries again, a second at first, doubling up to a minute.
 */
import { formatId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Courier, OpenFailure, OpenResult, Transport } from '../transports/contract.ts';

export interface CourierCrewOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  readonly transportId: number;
  /** Messages that a courier could take now or soon. */
  readonly work: () => number;
  /** Couriers that carry a message now. */
  readonly busy: () => number;
  /** Most connections this process may hold now, given how many it wants; undefined: the fleet has no limit. */
  readonly allowed: ((wanted: number) => number) | undefined;
  /** Works until the courier or the messages are used up. */
  readonly carry: (courier: Courier) => Promise<void>;
  /** A courier opened, is gone, or could not be opened; `isLast`: none is left or coming. */
  readonly opened: () => void;
  readonly closed: () => void;
  readonly failed: (failure: OpenFailure, isLast: boolean) => void;
}

const firstRestMs = 1_000;
const longestRestMs = 60_000;

export class CourierCrew {
  readonly #options: CourierCrewOptions;
  /** Couriers at work, and what they do: a stop waits for these. */
  readonly #serving = new Map<Courier, Promise<void>>();
  /** Couriers that can take a message; further those that are being opened, and all that hold a connection, closing ones included. */
  readonly #working = new Set<Courier>();
  #opening = 0;
  #connections = 0;
  /** The last courier could be opened. While that is not so, just one is tried at a time. */
  #isProven = false;
  #size = Number.POSITIVE_INFINITY;
  #growAt = 0;
  #restMs = firstRestMs;
  #isStopping = false;

  constructor(options: CourierCrewOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#working.size;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Opens what is wanted now. Called whenever something changes; does nothing when nothing is wanted. */
  fill(): void {
    while (this.#wantsOne()) {
      this.#opening++;
      this.#connections++;
      void this.#runOne().finally(() => {
        this.#connections--;
        this.fill();
      });
    }
  }

  /** How many more are at work than the fleet allows by now. */
  get surplus(): number {
    // Asked for each message: without a limit nothing is added up.
    const { allowed } = this.#options;
    return allowed ? Math.max(0, this.open - allowed(this.#use())) : 0;
  }

  /** Is this courier one too many? Then it counts no more, and goes home. */
  dismisses(courier: Courier): boolean {
    return this.surplus > 0 && this.#working.delete(courier);
  }

  /** Opens no more. What takes longer than `cutAfterMs` is cut off; its outcome then says how far it got. Idempotent. */
  async stop(cutAfterMs: number): Promise<void> {
    this.#isStopping = true;
    const cut = setTimeout(() => {
      for (const courier of this.#serving.keys()) void courier.close();
    }, cutAfterMs);
    await Promise.all(this.#serving.values());
    clearTimeout(cut);
  }

  #wantsOne(): boolean {
    if (this.#isStopping) return false;
    const { maxCouriers } = this.#options.transport.capabilities;
    const coming = this.open + this.#opening;
    const wanted = Math.min(this.#isProven ? maxCouriers : 1, this.#mostNow(), this.#options.work());
    if (coming >= wanted || this.#connections >= maxCouriers) return false;
    const { allowed } = this.#options;
    return !allowed || this.#connections < allowed(this.#use());
  }

  /** What it has use for, whatever is open: idle ones are others' when these want them. */
  #use(): number {
    const { transport, work, busy } = this.#options;
    return Math.min(transport.capabilities.maxCouriers, this.#mostNow(), busy() + work());
  }

  /** What the other side has put up with, and one more once it was left alone for a while. */
  #mostNow(): number {
    return this.#options.clock.monotonic() < this.#growAt ? this.#size : this.#size + 1;
  }

  async #runOne(): Promise<void> {
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
    const { transport, log, transportId } = this.#options;
    try {
      return await transport.open();
    } catch (error) {
      log.error({ err: error, transportId: formatId('transport', transportId) }, 'transport failed to open');
      const reply = { code: 0, text: 'the transport failed' };
      return { kind: 'failed', failure: { cause: 'refused', reply } };
    }
  }

  async #serve(courier: Courier): Promise<void> {
    this.#working.add(courier);
    this.#isProven = true;
    if (this.open > this.#size) this.#grow();
    this.#options.opened();
    this.fill();
    await this.#options.carry(courier);
    this.#working.delete(courier);
    this.#options.closed();
    this.fill();
    await courier.close();
  }

  #grow(): void {
    const isFull = this.open >= this.#options.transport.capabilities.maxCouriers;
    this.#size = isFull ? Number.POSITIVE_INFINITY : this.open;
    this.#restMs = firstRestMs;
  }

  #openFailed(failure: OpenFailure): void {
    const isLast = this.open + this.#opening === 0;
    if (isLast) this.#isProven = false;
    else this.#staySmall();
    this.#options.failed(failure, isLast);
  }

  #staySmall(): void {
    this.#size = Math.max(this.open, 1);
    this.#growAt = this.#options.clock.monotonic() + this.#restMs;
    this.#restMs = Math.min(this.#restMs * 2, longestRestMs);
  }
}
