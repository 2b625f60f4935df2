/**
 * Start-time fair queueing (Goyal, Vin and Cheng 1996) over the tenants of one destination and class; a message costs one. Pure.
 *
 * Each tenant has a mark: what it has been given, by its weight. The lane of the lowest mark is served, a quantum at a time, and its mark rises. Deficit
 * round robin, which was here before, forgets a lane that has nothing ready when its turn comes; and a tenant of one chunk has nothing ready while a
 * grant of it is under way. A mark is not forgotten: what a lane missed it gets when it is back, up to `mostBehind`.
 *
 * A tenant that comes anew begins as far behind as any may be: it is served next, and so is one that never takes its full share. Marks not further
 * ahead than that are those of newcomers and needn't be remembered. A new leader has none, and to it all are newcomers: what anybody
 * was ahead or behind, a few quanta, is forgiven, and it begins with those that were served longest ago.
 */
import type { DueLane, Share } from './demand.ts';
import { LeastFirst } from './least-first.ts';
import type { TenantAllowances } from './tenant-allowances.ts';

export interface Turn {
  /** The highest mark at which a lane was served. In messages of a tenant of the usual weight, as all marks. */
  readonly now: number;
  /** By tenant. */
  readonly marks: ReadonlyMap<number, number>;
}

export interface TurnsInput {
  readonly room: number;
  readonly windowMessages: number;
  /** With something due or under way. */
  readonly tenants: number;
  readonly turn: Turn;
  readonly allowances: TenantAllowances;
}

export const smallestQuantum = 16;
export const largestQuantum = 500;
/** In quanta: a lane is not refunded more, however long it stood aside. */
const mostBehind = 4;

/** The more tenants there are, the less each gets at a time, so that a quantum of each is about one window. */
export function quantumOf(windowMessages: number, tenants: number): number {
  const part = Math.floor(windowMessages / Math.max(tenants, 1));
  return Math.min(largestQuantum, Math.max(smallestQuantum, part));
}

export function serveTurns(
  lanes: readonly DueLane[],
  { room, windowMessages, tenants, turn, allowances }: TurnsInput,
): { readonly shares: readonly Share[]; readonly turn: Turn } {
  const quantum = quantumOf(windowMessages, Math.max(tenants, lanes.length));
  const places = seat(lanes, turn, quantum);
  const service = new Service(places, { room, quantum, now: turn.now });
  const own = (lane: DueLane) => allowances.ownLimit(lane.tenantId, lane.mostOutstanding);
  const take = (lane: DueLane, messages: number) => allowances.take(lane.tenantId, messages);
  service.serve((lane) => Math.min(own(lane), allowances.amongOthers(lane.tenantId)), take);
  // Whoever is still unserved is beyond its allowance; no other waits for the rest of the room.
  service.serve(own, take);
  const shares = places
    .filter(({ given }) => given > 0)
    .map(({ lane, given }) => ({ lane, messages: given }));
  return { shares, turn: remember(places, { now: service.now, marks: turn.marks }, quantum) };
}

/** Did it have nothing, or next to nothing, for as long as it matters? */
export function isNew({ marks }: Turn, tenantId: number): boolean {
  return !marks.has(tenantId);
}

interface Place {
  readonly lane: DueLane;
  /** Among the lanes as they were given: those first that were served longest ago. */
  readonly order: number;
  mark: number;
  /** Undefined: not looked at. */
  left: number | undefined;
  given: number;
}

function seat(lanes: readonly DueLane[], { now, marks }: Turn, quantum: number): readonly Place[] {
  const lowest = now - mostBehind * quantum;
  return lanes.map((lane, order) => ({
    ...{ lane, order, left: lane.waiting, given: 0 },
    mark: Math.max(marks.get(lane.tenantId) ?? lowest, lowest),
  }));
}

/** Who stands where a newcomer would is left out. */
function remember(places: readonly Place[], { now, marks }: Turn, quantum: number): Turn {
  const lowest = now - mostBehind * quantum;
  const changed = new Map(marks);
  for (const { lane, mark } of places) changed.set(lane.tenantId, mark);
  return { now, marks: new Map([...changed].filter(([, mark]) => mark > lowest)) };
}

function compareMarks(a: Place, b: Place): number {
  return a.mark - b.mark || a.order - b.order;
}

/** Serves the lowest mark until the room is used up, nobody may have more, or it is the turn of a lane that was not looked at. */
class Service {
  readonly #places: readonly Place[];
  readonly #quantum: number;
  #room: number;
  now: number;

  constructor(
    places: readonly Place[],
    { room, quantum, now }: { room: number; quantum: number; now: number },
  ) {
    this.#places = places;
    this.#quantum = quantum;
    this.#room = room;
    this.now = now;
  }

  serve(allowedTo: (lane: DueLane) => number, take: (lane: DueLane, messages: number) => void): void {
    const waiting = new LeastFirst(compareMarks, this.#places);
    for (let place = waiting.take(); place && this.#room > 0; place = waiting.take()) {
      const allowed = Math.min(place.left ?? this.#room, allowedTo(place.lane));
      if (allowed <= 0) continue;
      // The others have had their turn: it is the next pass that goes on, with this lane.
      if (place.left === undefined) this.#room = 0;
      const messages = this.#messagesFor(place, allowed);
      if (messages === 0) return;
      take(place.lane, messages);
      this.#give(place, messages);
      waiting.put(place);
    }
  }

  /** A rest of the room too small for a grant goes with the last one. */
  #messagesFor({ lane }: Place, allowed: number): number {
    const quantum = Math.max(smallestQuantum, Math.floor((this.#quantum * lane.weight) / 100));
    const isLast = this.#room - Math.min(quantum, allowed) < smallestQuantum;
    return Math.min(isLast ? this.#room : quantum, allowed, this.#room);
  }

  #give(place: Place, messages: number): void {
    this.now = Math.max(this.now, place.mark);
    this.#room -= messages;
    place.mark += (messages * 100) / place.lane.weight;
    place.given += messages;
    if (place.left !== undefined) place.left -= messages;
  }
}
