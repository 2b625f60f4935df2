/** What each provider saw, in slots of a tenth of a second: so that a test reads off a rate how it was kept over any window, not only on average. */
import type { Refusal } from './rule.ts';

export interface SeriesSlot {
  /** Wall clock at which the slot begins, ms since 1970. */
  readonly at: number;
  /** Recipients named, refused ones included. */
  readonly attempts: number;
  /** Messages taken. */
  readonly accepted: number;
  readonly tooFast: number;
  readonly tooManyConnections: number;
  /** Most connections that were the provider's own at one moment. */
  readonly connections: number;
}

export const slotMs = 100;
/** Half an hour of each provider; older slots are forgotten. */
const mostSlots = 18_000;

type Slot = { -readonly [Key in keyof SeriesSlot]: SeriesSlot[Key] };
type Counted = Exclude<keyof SeriesSlot, 'at' | 'connections'>;

export class ProviderSeries {
  readonly #now: () => number;
  readonly #slots = new Map<string, Slot[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  attempted(provider: string, connections: number, refusal: Refusal | undefined): void {
    const slot = this.#slot(provider);
    slot.connections = Math.max(slot.connections, connections);
    this.#count(slot, 'attempts');
    if (refusal === 'tooFast' || refusal === 'tooManyConnections') this.#count(slot, refusal);
  }

  accepted(provider: string): void {
    this.#count(this.#slot(provider), 'accepted');
  }

  /** Slots in which anything happened, oldest first, that began at `sinceMs` or later. */
  since(sinceMs: number): Readonly<Record<string, readonly SeriesSlot[]>> {
    const entries = [...this.#slots].map(([name, slots]) => [name, slots.filter(({ at }) => at >= sinceMs)]);
    return Object.fromEntries(entries);
  }

  #count(slot: Slot, what: Counted): void {
    slot[what]++;
  }

  #slot(provider: string): Slot {
    const at = Math.floor(this.#now() / slotMs) * slotMs;
    const slots = this.#slots.get(provider) ?? [];
    this.#slots.set(provider, slots);
    const last = slots.at(-1);
    // A wall clock that was set back goes on in the slot it had.
    if (last && at <= last.at) return last;
    const slot = { at, attempts: 0, accepted: 0, tooFast: 0, tooManyConnections: 0, connections: 0 };
    slots.push(slot);
    if (slots.length > mostSlots) slots.shift();
    return slot;
  }
}
