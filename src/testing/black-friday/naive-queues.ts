/** What naive designs take next. Both hold every pending message as a job in Redis. */
import type { Campaign } from './campaigns.ts';

export interface Entry {
  /** Undefined: tried before, and now only one destination's. */
  readonly campaign: Campaign | undefined;
  readonly destination: number | undefined;
  n: number;
}

export interface NaiveQueue {
  readonly messages: number;
  add(entry: Entry): void;
  /** Up to so many messages, and as Redis has the time for. */
  take(messages: number, redisMicroseconds: number): readonly Entry[];
}

export interface RedisCosts {
  readonly jobMicroseconds: number;
  readonly emptyVisitMicroseconds: number;
}

/** In the order in which they came; what is tried again comes last. */
export class OneFifo implements NaiveQueue {
  readonly #costs: RedisCosts;
  #entries: Entry[] = [];
  #head = 0;
  messages = 0;

  constructor(costs: RedisCosts) {
    this.#costs = costs;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.messages += entry.n;
  }

  take(messages: number, redisMicroseconds: number): readonly Entry[] {
    let left = Math.min(messages, Math.floor(redisMicroseconds / this.#costs.jobMicroseconds));
    const taken: Entry[] = [];
    for (let entry = this.#entries[this.#head]; entry && left > 0; entry = this.#entries[this.#head]) {
      const n = Math.min(left, entry.n);
      taken.push({ ...entry, n });
      entry.n -= n;
      left -= n;
      this.messages -= n;
      if (entry.n === 0) this.#head++;
    }
    this.#compact();
    return taken;
  }

  #compact(): void {
    if (this.#head < 4_096) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

/** Messages taken from a queue at each visit. */
const perVisit = 10;

/** A queue for each tenant, visited in turn, whether something is in it or not; what is tried again has a queue of its own. */
export class QueuePerTenant implements NaiveQueue {
  readonly #costs: RedisCosts;
  readonly #tenants: number;
  /** By the queue's number: the tenants' places, and 0 for what is tried again. */
  readonly #queues = new Map<number, OneFifo>();
  readonly #placeOf: (tenantId: number) => number;
  #order: number[] = [];
  #at = 0;
  messages = 0;

  constructor(costs: RedisCosts, tenantIds: readonly number[]) {
    const places = new Map(tenantIds.map((id, place) => [id, place + 1]));
    this.#costs = costs;
    this.#tenants = tenantIds.length;
    this.#placeOf = (tenantId) => places.get(tenantId) ?? 0;
  }

  add(entry: Entry): void {
    const place = entry.campaign ? this.#placeOf(entry.campaign.tenantId) : 0;
    const queue = this.#queues.get(place) ?? new OneFifo(this.#costs);
    this.#queues.set(place, queue);
    if (queue.messages === 0) this.#enter(place);
    queue.add({ ...entry });
    this.messages += entry.n;
  }

  take(messages: number, redisMicroseconds: number): readonly Entry[] {
    const taken: Entry[] = [];
    let [left, time] = [messages, redisMicroseconds];
    while (this.#order.length > 0 && left > 0 && time > 0) {
      const next = this.#next();
      time -= (next.passed + 1) * this.#costs.emptyVisitMicroseconds;
      const entries = next.queue.take(Math.min(left, perVisit), Math.max(0, time));
      for (const entry of entries) {
        taken.push(entry);
        left -= entry.n;
        time -= entry.n * this.#costs.jobMicroseconds;
        this.messages -= entry.n;
      }
      this.#at = next.place + 1;
      if (next.queue.messages === 0) this.#order.splice(next.index, 1);
    }
    return taken;
  }

  /** The next queue with something in it, and how many empty ones are visited on the way. */
  #next() {
    let index = this.#firstFrom(this.#at);
    const isRound = index === this.#order.length;
    if (isRound) index = 0;
    const place = this.#order[index] as number;
    const passed = isRound ? this.#tenants - this.#at + place : place - this.#at;
    return { index, place, passed: Math.max(0, passed), queue: this.#queues.get(place) as OneFifo };
  }

  #enter(place: number): void {
    this.#order.splice(this.#firstFrom(place), 0, place);
  }

  #firstFrom(place: number): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
