/**
 * Which lanes get how many messages in one pass. Pure: no I/O, no clock, no randomness; what it remembers between passes (`Turns`) is worth
 * a few quanta a lane, so that a new leader may begin without it.
 *
 * 1. A destination's window says what it may have outstanding (`window-room.ts`, with what all destinations share).
 * 2. Classes share the room by their guarantees, and leave each other what they don't need (`class-shares.ts`).
 *    A part of it is kept for tenants that hold nothing there yet: they wait for no grant of another to end.
 * 3. Within a class the tenant is served that has had least by its weight (`lane-turns.ts`); nobody beyond the fleet's allowance while others wait
 *    (`tenant-allowances.ts`).
 *
 * THE BOUND (DESIGN 5). With W = the destination's window, r = the messages it takes a second, n = the tenants that have
 * messages waiting or under way, w_i their weights in percent of the usual and
 *
 *     q = min(500, max(16, W / n)),    Q_i = max(16, q * w_i / 100)
 *
 * the first message of a tenant that had nothing leaves within
 *
 *     (W + Q_1 + ... + Q_n) / r + two passes
 *
 * whatever its neighbours have waiting: what was outstanding before it came goes first, and then at most one quantum of each: none stands further
 * behind than a newcomer, and who stands as far behind is no longer so after one quantum. While more than 500 lanes are due at once, those beyond come
 * into sight as others are served, a quantum each: the same sum.
 */
import { deliveryClasses } from '../ledger/states.ts';
import { shareAmongClasses } from './class-shares.ts';
import { type DestinationDemand, type DueLane, groupKey, type Share } from './demand.ts';
import { isNew, serveTurns, type Turn } from './lane-turns.ts';
import { TenantAllowances } from './tenant-allowances.ts';
import { heldBy, type Room, roomOf, scaleRoom } from './window-room.ts';

export interface DispatchLimits {
  /** Most messages of all destinations that may be outstanding. */
  readonly totalMessages: number;
}

/** Who was given how much, by destination and class. */
export type Turns = ReadonlyMap<string, Turn>;

export interface DispatchPlan {
  readonly shares: readonly Share[];
  readonly turns: Turns;
}

export const deliveryClassNumbers = Object.values(deliveryClasses);
/** The most that one pass gives away of what is free in total. */
const partOfFree = 1 / 2;
const firstTurn: Turn = { now: 0, marks: new Map() };

/**
 * Which lanes to look into, and how deep: each class as though the others wanted nothing and every lane had no end. What is found there is
 * told to `planShares`.
 */
export function planReads(
  demands: readonly DestinationDemand[],
  limits: DispatchLimits,
  turns: Turns,
): readonly Share[] {
  return deliveryClassNumbers.flatMap((deliveryClass) => {
    const alone = demands.map((demand) => ({
      ...demand,
      lanes: demand.lanes
        .filter((lane) => lane.class === deliveryClass)
        .map((lane) => ({ ...lane, waiting: Number.POSITIVE_INFINITY })),
    }));
    return planShares(alone, limits, turns).shares;
  });
}

export function planShares(
  demands: readonly DestinationDemand[],
  { totalMessages }: DispatchLimits,
  turns: Turns,
): DispatchPlan {
  const free = Math.max(0, totalMessages - sumOf(demands.map(heldBy)));
  const wanting = demands
    .filter((demand) => demand.lanes.length > 0)
    .map((demand) => ({ demand, room: wantedRoom(demand, free) }));
  const wanted = sumOf(wanting.map(({ room }) => room.all));
  const part = Math.min(1, (free * partOfFree) / Math.max(wanted, 1));
  const pass = { allowances: new TenantAllowances(demands), turns: new Map(turns), shares: [] as Share[] };
  let left = free;
  for (const { demand, room } of wanting) left -= serve(demand, scaleRoom(room, part, left), pass);
  return { shares: pass.shares, turns: pass.turns };
}

/** Nobody but transactional mail may use what is kept for it: without any, the room is that of the others. */
function wantedRoom(demand: DestinationDemand, free: number): Room {
  const room = roomOf(demand, free);
  return demand.lanes.some((lane) => lane.class === deliveryClasses.transactional)
    ? room
    : { ...room, all: room.newcomers };
}

interface Pass {
  readonly allowances: TenantAllowances;
  readonly turns: Map<string, Turn>;
  readonly shares: Share[];
}

/** Answers how many messages were given. */
function serve(demand: DestinationDemand, room: Room, pass: Pass): number {
  const lanes = deliveryClassNumbers.map((c) => demand.lanes.filter((lane) => lane.class === c));
  const wanted = lanes.map((some) => sumOf(some.map((lane) => lane.waiting ?? 0)));
  const rooms = shareAmongClasses(room, demand.outstanding.byClass, wanted);
  const [urgent, ...others] = lanes.map((some, c) => serveClass(some, rooms[c] as number, demand, pass));
  const bulk = sumOf(others);
  const left = Math.min(room.newcomers - bulk, room.all - bulk - (urgent as number));
  return bulk + (urgent as number) + serveNewcomers(lanes, left, demand, pass);
}

/** Of what is kept for them, and of what was not worth a grant to others: those that hold nothing here and had nothing lately. */
function serveNewcomers(
  lanes: readonly (readonly DueLane[])[],
  room: number,
  demand: DestinationDemand,
  pass: Pass,
): number {
  const served = new Set(pass.shares.map(({ lane }) => lane));
  const { byTenant } = demand.outstanding;
  let left = room;
  for (const some of lanes.slice(1)) {
    const turn = pass.turns.get(some[0] ? groupKey(some[0]) : '') ?? firstTurn;
    const isNewcomer = (lane: DueLane) =>
      !served.has(lane) && !byTenant.has(lane.tenantId) && isNew(turn, lane.tenantId);
    left -= serveClass(some.filter(isNewcomer), left, demand, pass);
  }
  return room - left;
}

function serveClass(lanes: readonly DueLane[], room: number, demand: DestinationDemand, pass: Pass): number {
  const [first] = lanes;
  if (!first || room <= 0) return 0;
  const key = groupKey(first);
  const turn = pass.turns.get(key) ?? firstTurn;
  const { windowMessages, outstanding } = demand;
  const tenants = new Set([...lanes.map(({ tenantId }) => tenantId), ...outstanding.byTenant.keys()]).size;
  const { allowances } = pass;
  const served = serveTurns(lanes, { room, windowMessages, tenants, turn, allowances });
  pass.turns.set(key, served.turn);
  pass.shares.push(...served.shares);
  return sumOf(served.shares.map(({ messages }) => messages));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
