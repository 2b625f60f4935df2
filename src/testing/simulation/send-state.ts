/** What the parts of one send worker share. */
import type { GrantRun } from '../../send/grant-run.ts';
import type { Outgoing } from '../../send/outgoing.ts';
import { type Host, Signal } from './virtual-time.ts';
import { type Life, monotonic, type Sending, type World } from './world.ts';

export class SendState implements Sending {
  readonly world: World;
  readonly host: Host;
  readonly owner: string;
  readonly drift: number;
  /** Whose leases are renewed, and which may start messages. */
  readonly runs = new Set<GrantRun>();
  readonly ready: Outgoing[] = [];
  readonly becameReady = new Signal();
  /** A run was closed a little, or stopped. */
  readonly moved = new Signal();
  wire = 0;
  asked = 0;
  unwritten = 0;
  isStopping = false;

  constructor(world: World, { host, owner, drift }: Life) {
    this.world = world;
    this.host = host;
    this.owner = owner;
    this.drift = drift;
  }

  get now(): number {
    return monotonic(this.world, this);
  }

  close(run: GrantRun, n: number): void {
    run.close(n);
    this.world.time.notify(this.moved);
  }

  stop(run: GrantRun, holdMs = 0): void {
    run.stop(holdMs);
    this.world.time.notify(this.moved);
  }

  lose(run: GrantRun): void {
    run.lose();
    this.world.time.notify(this.moved);
  }
}
