/**
 * Which lanes get how many messages in one pass. Pure: no I/O, no clock, no randomness.
 *
 * A destination's window is what it may have outstanding, less where many destinations share the total. Within it, lanes are
 * served in turn, beginning after the one served last, a quantum at a time; the quantum shrinks as more lanes want a share of the
 * same window. Classes come in order: transactional, flow, campaign.
 */

export interface Lane {
  readonly tenantId: number;
  readonly destinationId: number;
  readonly class: number;
}

export interface DestinationDemand {
  readonly destinationId: number;
  /** Messages of it that are dispatched and not yet settled. */
  readonly outstanding: number;
  /** Lanes with work that is due, each once. */
  readonly lanes: readonly Lane[];
}

export interface DispatchLimits {
  /** Most messages of one destination that may be outstanding. */
  readonly windowPerDestination: number;
  /** Most messages of all destinations. */
  readonly windowTotal: number;
}

/** The tenant served last, by destination and class: where the next pass goes on. */
export type Rotation = ReadonlyMap<string, number>;

export interface Share {
  readonly lane: Lane;
  readonly messages: number;
}

export interface DispatchPlan {
  readonly shares: readonly Share[];
  readonly rotation: Rotation;
}

export const smallestQuantum = 16;
/** A window that is nearly full waits until this part of it is free: many small grants cost more than one. */
const smallestRefill = 1 / 8;
/** The most that one pass gives away of what is free in total. */
const partOfFree = 1 / 2;

export function planShares(
  demands: readonly DestinationDemand[],
  limits: DispatchLimits,
  rotation: Rotation,
): DispatchPlan {
  const shares: Share[] = [];
  const next = new Map(rotation);
  const free = Math.max(0, limits.windowTotal - sumOf(demands.map((demand) => demand.outstanding)));
  const wanting = demands.filter((demand) => demand.lanes.length > 0);
  const wanted = sumOf(wanting.map((demand) => roomOf(demand.outstanding, limits, free)));
  const part = Math.min(1, (free * partOfFree) / Math.max(wanted, 1));
  for (const { outstanding, lanes } of wanting) {
    const room = Math.floor(roomOf(outstanding, limits, free) * part);
    if (isWorthwhile(room, outstanding)) shares.push(...shareRoom(lanes, room, next));
  }
  return { shares, rotation: next };
}

/** Could a destination with so much outstanding get more, if there were no others? */
export function hasRoom(outstanding: number, limits: DispatchLimits): boolean {
  return isWorthwhile(roomOf(outstanding, limits, Number.POSITIVE_INFINITY), outstanding);
}

/**
 * A destination never holds more than is free for all (dynamic thresholds, Choudhury and Hahne 1998), and a pass gives away only half of that, to
 * all in proportion. However many destinations stall with full windows, there is room for the next.
 */
function roomOf(outstanding: number, { windowPerDestination }: DispatchLimits, free: number): number {
  return Math.max(0, Math.min(windowPerDestination, free) - outstanding);
}

function isWorthwhile(room: number, outstanding: number): boolean {
  return room > 0 && (outstanding === 0 || room >= smallestRefill * (outstanding + room));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

function shareRoom(lanes: readonly Lane[], room: number, rotation: Map<string, number>): readonly Share[] {
  const messages = new Map<Lane, number>();
  const quantum = quantumOf(lanes.length, room);
  let left = room;
  for (const lane of serveInTurn(lanes, rotation)) {
    if (left < Math.min(quantum, smallestQuantum)) break;
    const given = Math.min(quantum, left);
    messages.set(lane, given);
    left -= given;
    rotation.set(rotationKey(lane), lane.tenantId);
  }
  return [...messages].map(([lane, n]) => ({ lane, messages: n }));
}

/** With one lane it gets the whole room; with many, equal shares that are still worth a grant. */
function quantumOf(lanes: number, room: number): number {
  return Math.max(smallestQuantum, Math.floor(room / Math.max(lanes, 1)));
}

function serveInTurn(lanes: readonly Lane[], rotation: Rotation): readonly Lane[] {
  return [...lanes].sort(
    (a, b) => a.class - b.class || turnOf(a, rotation) - turnOf(b, rotation) || a.tenantId - b.tenantId,
  );
}

/** 0 for those whose turn comes in this round, 1 for those already passed. */
function turnOf(lane: Lane, rotation: Rotation): number {
  const last = rotation.get(rotationKey(lane));
  return last !== undefined && lane.tenantId <= last ? 1 : 0;
}

export function rotationKey(lane: Lane): string {
  return `${lane.destinationId}-${lane.class}`;
}
