/**
 * Weighted deficit round robin (Shreedhar and Varghese 1995) over the tenants of one destination and class; a message costs one. Pure.
 *
 * In its turn a lane's deficit grows by its quantum, and it gets what the deficit pays for. A deficit is carried while the lane has more waiting, and
 * dropped when it has not: nobody saves up. Where the room ends within a turn, the next pass begins with the rest of that turn.
 */
import type { DueLane, Lane, Share } from './demand.ts';
import type { TenantAllowances } from './tenant-allowances.ts';

export interface Turn {
  /** The tenant to begin with, or the next after it. */
  readonly next: number;
  /** Its turn was cut off: it goes on with what is left of its deficit. */
  readonly resumes: boolean;
  readonly deficits: ReadonlyMap<number, number>;
}

export interface TurnsInput {
  readonly room: number;
  readonly windowMessages: number;
  readonly turn: Turn;
  readonly allowances: TenantAllowances;
}

export const smallestQuantum = 16;
export const largestQuantum = 500;

/** The more tenants wait, the less each gets at a time, so that a round stays about one window. */
export function quantumOf(windowMessages: number, tenants: number): number {
  const part = Math.floor(windowMessages / Math.max(tenants, 1));
  return Math.min(largestQuantum, Math.max(smallestQuantum, part));
}

export function serveTurns(
  lanes: readonly DueLane[],
  { room, windowMessages, turn, allowances }: TurnsInput,
): { readonly shares: readonly Share[]; readonly turn: Turn } {
  const quantum = quantumOf(windowMessages, lanes.length);
  const places = seat(lanes, turn, quantum);
  const round = new Round(places, { room, turn, quantum });
  const own = (lane: DueLane) => allowances.ownLimit(lane.tenantId, lane.mostOutstanding);
  const take = (lane: DueLane, messages: number) => allowances.take(lane.tenantId, messages);
  round.serve((lane) => Math.min(own(lane), allowances.amongOthers(lane.tenantId)), take);
  // Whoever is still unserved is beyond its allowance; no other waits for the rest of the room.
  round.serve(own, take);
  const shares = places
    .filter(({ given }) => given > 0)
    .map(({ lane, given }) => ({ lane, messages: given }));
  return { shares, turn: { ...round.position, deficits: deficitsOf(places) } };
}

interface Place {
  readonly lane: DueLane;
  deficit: number;
  left: number;
  given: number;
}

/** What was earned while fewer waited is worth no more than a quantum of now: the bound counts on it. */
function seat(lanes: readonly DueLane[], { next, deficits }: Turn, quantum: number): readonly Place[] {
  const passed = (lane: Lane) => (lane.tenantId < next ? 1 : 0);
  return [...lanes]
    .sort((a, b) => passed(a) - passed(b) || a.tenantId - b.tenantId)
    .map((lane) => ({
      lane,
      deficit: Math.min(
        deficits.get(lane.tenantId) ?? 0,
        Math.max(smallestQuantum, (quantum * lane.weight) / 100),
      ),
      left: lane.waiting ?? 0,
      given: 0,
    }));
}

function deficitsOf(places: readonly Place[]): ReadonlyMap<number, number> {
  const kept = places.filter(
    ({ lane, left, deficit }) => deficit > 0 && (lane.waiting === undefined || left > 0),
  );
  return new Map(kept.map(({ lane, deficit }) => [lane.tenantId, deficit]));
}

/** Goes round the places until the room is used up or nobody may have more. */
class Round {
  readonly #places: readonly Place[];
  readonly #quantum: number;
  #room: number;
  #at = 0;
  #isResuming: boolean;
  #position: { readonly next: number; readonly resumes: boolean };

  constructor(
    places: readonly Place[],
    { room, turn, quantum }: { room: number; turn: Turn; quantum: number },
  ) {
    this.#places = places;
    this.#quantum = quantum;
    this.#room = room;
    this.#position = { next: turn.next, resumes: turn.resumes };
    this.#isResuming = turn.resumes && places[0]?.lane.tenantId === turn.next;
  }

  get position() {
    return this.#position;
  }

  serve(allowedTo: (lane: DueLane) => number, take: (lane: DueLane, messages: number) => void): void {
    let closed = 0;
    while (this.#room > 0 && closed < this.#places.length) {
      const place = this.#places[this.#at] as Place;
      const allowed = Math.min(place.left, allowedTo(place.lane));
      closed = allowed > 0 ? 0 : closed + 1;
      this.#pay(place, allowed);
      const messages = this.#messagesFor(place, allowed);
      if (messages > 0) {
        give(place, messages);
        take(place.lane, messages);
        this.#room -= messages;
        this.#moveOn(place, allowed - messages);
      }
      this.#isResuming = false;
      this.#at = (this.#at + 1) % this.#places.length;
    }
  }

  /** Whoever may have nothing saves nothing; whoever was not looked at keeps up to one quantum. */
  #pay(place: Place, allowed: number): void {
    const quantum = (this.#quantum * place.lane.weight) / 100;
    const isUnseen = place.lane.waiting === undefined;
    if (isUnseen) place.deficit = Math.min(place.deficit + quantum, Math.max(quantum, smallestQuantum));
    else if (allowed > 0 && !this.#isResuming) place.deficit += quantum;
  }

  /** A lane of small weight saves until a grant is worth while. */
  #messagesFor(place: Place, allowed: number): number {
    const isWorthIt = this.#isResuming || place.deficit >= Math.min(place.left, smallestQuantum);
    return isWorthIt ? Math.min(Math.floor(place.deficit), allowed, this.#room) : 0;
  }

  #moveOn(place: Place, stillAllowed: number): void {
    const { tenantId } = place.lane;
    const isCutOff = this.#room === 0 && place.deficit >= 1 && stillAllowed > 0;
    if (!isCutOff && stillAllowed === 0) place.deficit = 0;
    this.#position = isCutOff ? { next: tenantId, resumes: true } : { next: tenantId + 1, resumes: false };
  }
}

function give(place: Place, messages: number): void {
  place.given += messages;
  place.left -= messages;
  place.deficit -= messages;
}
