/**
 * Connections per destination, leased by the fleet: however many workers, together they hold no more than the cap.
 *
 * Twice a second, at once when more is wanted, and at once when it has closed what it was to give up, a process says in one Lua call what it wants and
 * holds of all its destinations, and learns what it may: what one has no use for and another waits for changes hands within about a second.
 * A lease ends by itself ten seconds after its owner last spoke: slots of a worker that died come back. While Redis is away a process keeps
 * what it holds and opens no more, except for one where it has none.
 */
import type { Redis } from 'ioredis';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import { slotsScript } from './slots-script.ts';

export interface SlotsAsk {
  /** Connections of the whole fleet; undefined: no limit. */
  readonly cap: number | undefined;
  /** How many this process would use now: those at work, and one more for each message that waits. Those that are idle are not wanted, but may stay. */
  readonly wanted: number;
  /** How many it has: open, being opened, or being closed. */
  readonly held: number;
}

export interface ConnectionSlots extends Lifecycle {
  /**
   * How many connections this process may hold now; less than `held` means that some must be closed as they get idle. To be called
   * whenever an ask changes: the fleet is asked in the background, and `onChange` tells of another answer.
   */
  request(destinationId: number, ask: SlotsAsk): number;
  onChange(listener: (destinationId: number, allowed: number) => void): void;
  /** Nothing is held any more, nothing wanted. */
  release(destinationId: number): void;
}

export interface ConnectionSlotsOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly renewMs?: number;
  readonly leaseMs?: number;
}

interface Lease {
  cap: number;
  /** The most that was wanted since the last renewal, and what is now: asks that go up and down cost no calls. */
  wanted: number;
  wantedNow: number;
  held: number;
  /** The fleet's last answer. */
  allowed: number;
  /** What was wanted when it was last asked: asking again for no more would spin. */
  askedFor: number;
  /** Redis was told that it is over; forgotten before, it would count for ten more seconds. */
  isOver: boolean;
}

/** Destinations in one call: so that Redis is never held up by one process. */
const mostPerCall = 200;
/** After Redis lost its keys: every process has renewed by then. */
const renewalsAfterLoss = 5;

export function createConnectionSlots(options: ConnectionSlotsOptions): ConnectionSlots {
  const { redis, prefix, owner, clock, log, renewMs = 500, leaseMs = 10_000 } = options;
  const leases = new Map<number, Lease>();
  const eager = new Set<number>();
  const listeners: ((destinationId: number, allowed: number) => void)[] = [];
  let renewAt = 0;
  let isAway = false;
  let isStopped = false;

  async function pass(): Promise<'idle'> {
    const isRenewal = clock.monotonic() >= renewAt;
    if (isRenewal) renewAt = clock.monotonic() + renewMs;
    const ids = [...(isRenewal ? leases.keys() : eager)];
    eager.clear();
    for (let i = 0; i < ids.length; i += mostPerCall) await ask(ids.slice(i, i + mostPerCall));
    if (isRenewal) for (const lease of leases.values()) lease.wanted = lease.wantedNow;
    return 'idle';
  }

  async function ask(ids: readonly number[]): Promise<void> {
    const asked = ids.map((id) => ({ id, lease: leases.get(id)! })).filter(({ lease }) => lease);
    if (asked.length === 0) return;
    for (const { lease } of asked) {
      lease.askedFor = lease.wanted;
      lease.isOver = lease.wanted === 0 && lease.held === 0;
    }
    try {
      const answers = await call(asked);
      if (isAway) log.info('connection slots: Redis is back');
      isAway = false;
      for (const [i, { id, lease }] of asked.entries()) answer(id, lease, answers[i] ?? 0);
    } catch (error) {
      if (!isAway) log.warn({ err: error }, 'connection slots: Redis is away, none is added');
      isAway = true;
      for (const { id, lease } of asked) tell(id, allowedOf(lease));
    }
  }

  function call(asked: readonly { readonly id: number; readonly lease: Lease }[]): Promise<number[]> {
    const keys = [`${prefix}:slots:since`, ...asked.map(({ id }) => slotsKey(prefix, id))];
    const asks = asked.flatMap(({ lease: { cap, wanted, held } }) => [cap, wanted, held]);
    const heldBackMs = renewMs * renewalsAfterLoss;
    return redis.eval(slotsScript, keys.length, ...keys, owner, leaseMs, heldBackMs, ...asks) as Promise<
      number[]
    >;
  }

  function answer(id: number, lease: Lease, allowed: number): void {
    const before = allowedOf(lease);
    lease.allowed = allowed;
    const isStillOver = lease.isOver && lease.wanted === 0 && lease.held === 0;
    if (isStillOver && leases.get(id) === lease) leases.delete(id);
    else if (allowed !== before) tell(id, allowed);
    if (lease.wanted > Math.max(lease.askedFor, allowed)) askSoon(id);
  }

  function tell(id: number, allowed: number): void {
    for (const listener of listeners) listener(id, allowed);
  }

  function askSoon(id: number): void {
    eager.add(id);
    loop.wake();
  }

  function allowedOf(lease: Lease): number {
    return isAway ? Math.min(lease.cap, Math.max(lease.held, 1)) : lease.allowed;
  }

  /** What is known of it stays until Redis has heard; if it never does, the lease ends by itself. */
  function release(id: number): void {
    const lease = leases.get(id);
    if (!lease) return;
    Object.assign(lease, { wanted: 0, wantedNow: 0, held: 0 });
    askSoon(id);
  }

  const loop = createLoop({ name: 'connection-slots', log, idleMs: renewMs, pass });
  return {
    async start() {
      isStopped = false;
      await loop.start();
    },
    async stop() {
      isStopped = true;
      for (const id of leases.keys()) release(id);
      await loop.stop();
      renewAt = 0;
      await pass();
    },
    request(id, { cap, wanted, held }) {
      if (cap === undefined) {
        release(id);
        return wanted;
      }
      // What is still open then closes; asking again would take back what was just given.
      if (isStopped) return 0;
      const lease = leases.get(id) ?? {
        cap,
        wanted: 0,
        wantedNow: 0,
        held: 0,
        allowed: 0,
        askedFor: 0,
        isOver: false,
      };
      const most = Math.max(wanted, lease.wanted);
      const isGivingUp = held < lease.held && lease.held > lease.allowed;
      leases.set(id, Object.assign(lease, { cap, wanted: most, wantedNow: wanted, held }));
      if (isGivingUp || wanted > Math.max(lease.allowed, lease.askedFor)) askSoon(id);
      return allowedOf(lease);
    },
    onChange: (listener) => void listeners.push(listener),
    release,
  };
}

function slotsKey(prefix: string, destinationId: number): string {
  return `${prefix}:slots:${destinationId}`;
}
