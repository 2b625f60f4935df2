/**
 * Connections per destination, leased by the fleet: however many workers, together they hold no more than the cap.
 *
 * Four times a second, at once when more is wanted, and at once when it has closed what it was to give up, a process says in one Lua call what it wants and
 * holds of all its destinations, and learns what it may: what one has no use for and another waits for changes hands within about a second.
 * A lease ends by itself ten seconds after its owner last spoke: slots of a worker that died come back. While Redis is away a process keeps
 * what it holds and opens no more, except for one where it has none.
 */
import type { Clock } from '../platform/clock.ts';
import { groupBy } from '../platform/group-by.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop, type Loop } from '../platform/loop.ts';
import type { RedisClient } from '../platform/redis.ts';
import { homeOf } from '../platform/redis-homes.ts';
import { SlotLease } from './slot-lease.ts';
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
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly renewMs?: number;
  readonly leaseMs?: number;
}

/** Destinations in one call: so that Redis is never held up by one process. */
const mostPerCall = 200;
/** After Redis lost its keys: every process has renewed by then. */
const renewalsAfterLoss = 10;

export function createConnectionSlots(options: ConnectionSlotsOptions): ConnectionSlots {
  return new FleetSlots(options);
}

type Asked = readonly { readonly id: number; readonly lease: SlotLease }[];

class FleetSlots implements ConnectionSlots {
  readonly #options: ConnectionSlotsOptions;
  readonly #renewMs: number;
  readonly #loop: Loop;
  readonly #leases = new Map<number, SlotLease>();
  /** To be asked for before the next renewal. */
  readonly #eager = new Set<number>();
  readonly #listeners: ((destinationId: number, allowed: number) => void)[] = [];
  #renewAt = 0;
  /** Homes whose Redis did not answer when last asked. */
  readonly #away = new Set<string>();
  #isStopped = false;

  constructor(options: ConnectionSlotsOptions) {
    const { log, renewMs = 250 } = options;
    this.#options = options;
    this.#renewMs = renewMs;
    this.#loop = createLoop({ name: 'connection-slots', log, idleMs: renewMs, pass: () => this.#pass() });
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const id of this.#leases.keys()) this.release(id);
    await this.#loop.stop();
    this.#renewAt = 0;
    await this.#pass();
  }

  request(id: number, { cap, wanted, held }: SlotsAsk): number {
    if (cap === undefined) {
      this.release(id);
      return wanted;
    }
    // What is still open then closes; asking again would take back what was just given.
    if (this.#isStopped) return 0;
    const lease = this.#leases.get(id) ?? new SlotLease(cap);
    this.#leases.set(id, lease);
    if (lease.want({ cap, wanted, held })) this.#askSoon(id);
    return this.#allowedOf(id, lease);
  }

  onChange(listener: (destinationId: number, allowed: number) => void): void {
    this.#listeners.push(listener);
  }

  /** What is known of it stays until Redis has heard; if it never does, the lease ends by itself. */
  release(id: number): void {
    const lease = this.#leases.get(id);
    if (!lease) return;
    lease.end();
    this.#askSoon(id);
  }

  async #pass(): Promise<'idle'> {
    const { clock } = this.#options;
    const isRenewal = clock.monotonic() >= this.#renewAt;
    if (isRenewal) this.#renewAt = clock.monotonic() + this.#renewMs;
    const ids = [...(isRenewal ? this.#leases.keys() : this.#eager)];
    this.#eager.clear();
    const byHome = groupBy(ids, (id) => this.#homeOf(id));
    await Promise.all([...byHome].map(([home, some]) => this.#askAll(home, some)));
    if (isRenewal) for (const lease of this.#leases.values()) lease.renew();
    return 'idle';
  }

  #homeOf(id: number): string {
    return homeOf(this.#options.redis, this.#options.prefix, id);
  }

  async #askAll(home: string, ids: readonly number[]): Promise<void> {
    for (let i = 0; i < ids.length; i += mostPerCall) await this.#ask(home, ids.slice(i, i + mostPerCall));
  }

  async #ask(home: string, ids: readonly number[]): Promise<void> {
    const asked = ids.map((id) => ({ id, lease: this.#leases.get(id)! })).filter(({ lease }) => lease);
    if (asked.length === 0) return;
    const { log } = this.#options;
    try {
      const answers = await this.#call(home, asked);
      if (this.#away.delete(home)) log.info({ home }, 'connection slots: Redis is back');
      for (const [i, { id, lease }] of asked.entries()) this.#answer(id, lease, answers[i] ?? 0);
    } catch (error) {
      const isNews = !this.#away.has(home);
      if (isNews) log.warn({ err: error, home }, 'connection slots: Redis is away, none is added');
      this.#away.add(home);
      for (const { id, lease } of asked) this.#tell(id, this.#allowedOf(id, lease));
    }
  }

  #call(home: string, asked: Asked): Promise<number[]> {
    const { redis, owner, leaseMs = 10_000 } = this.#options;
    const keys = [`${home}:slots:since`, ...asked.map(({ id }) => slotsKey(home, id))];
    const asks = asked.flatMap(({ lease }) => lease.ask());
    const heldBackMs = this.#renewMs * renewalsAfterLoss;
    return redis.eval(slotsScript, keys.length, ...keys, owner, leaseMs, heldBackMs, ...asks) as Promise<
      number[]
    >;
  }

  #answer(id: number, lease: SlotLease, allowed: number): void {
    const before = this.#allowedOf(id, lease);
    const isMoreWanted = lease.answer(allowed);
    if (lease.isForgotten && this.#leases.get(id) === lease) this.#leases.delete(id);
    else if (allowed !== before) this.#tell(id, allowed);
    if (isMoreWanted) this.#askSoon(id);
  }

  #tell(id: number, allowed: number): void {
    for (const listener of this.#listeners) listener(id, allowed);
  }

  #askSoon(id: number): void {
    this.#eager.add(id);
    this.#loop.wake();
  }

  #allowedOf(id: number, lease: SlotLease): number {
    const isAway = this.#away.size > 0 && this.#away.has(this.#homeOf(id));
    return isAway ? lease.allowedAlone : lease.allowed;
  }
}

function slotsKey(home: string, destinationId: number): string {
  return `${home}:slots:${destinationId}`;
}
