/** The paces a worker read last, with their pauses counted down by its own clock. */
import type { Clock } from '../platform/clock.ts';
import type { Pace } from './pace.ts';

export class ReadPaces {
  readonly #clock: Clock;
  readonly #read = new Map<number, { readonly pace: Pace; readonly key: string; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when it tells something new: more than that time went on. */
  set(destinationId: number, pace: Pace | undefined): boolean {
    const before = this.#read.get(destinationId);
    if (!pace) return this.#read.delete(destinationId);
    const key = JSON.stringify({ ...pace, closedForMs: pace.closedForMs > 0 });
    this.#read.set(destinationId, { pace, key, atMs: this.#clock.monotonic() });
    return before?.key !== key;
  }

  get(destinationId: number): Pace | undefined {
    const read = this.#read.get(destinationId);
    if (!read || read.pace.closedForMs === 0) return read?.pace;
    const passedMs = this.#clock.monotonic() - read.atMs;
    return { ...read.pace, closedForMs: Math.max(0, read.pace.closedForMs - passedMs) };
  }

  forget(destinationId: number): void {
    this.#read.delete(destinationId);
  }
}
