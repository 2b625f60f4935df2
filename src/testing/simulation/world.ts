/** What the processes of one run share: time, the ledger, the belt, chance, and the eyes of the invariants. */
import type { GrantRun } from '../../send/grant-run.ts';
import type { Random } from '../smtp-sink/seeded-random.ts';
import type { ArmedFaults } from './armed-faults.ts';
import type { Belt } from './belt.ts';
import type { Schedule } from './schedule.ts';
import type { Delivery, Tables } from './tables.ts';
import type { Host, VirtualTime } from './virtual-time.ts';
import type { StatementRules } from './worker-statements.ts';

export interface World {
  readonly schedule: Schedule;
  readonly time: VirtualTime;
  readonly tables: Tables;
  readonly rules: StatementRules;
  readonly belt: Belt;
  readonly random: Random;
  readonly faults: ArmedFaults;
  /** What is outside all processes and never dies: the database, Redis, the network, operators. */
  readonly outside: Host;
  readonly poison: Delivery | undefined;
  /** Send workers alive, by owner. */
  readonly senders: Map<string, Sending>;
  /** What each crashed send worker may leave in doubt, by owner. */
  readonly doubtBudgets: Map<string, number>;
  /** Statements that are still to fail, and how. */
  trouble: { how: 'refused' | 'unheard' | 'late'; left: number } | undefined;
  /** Says what happens; does nothing unless somebody reads along. */
  readonly tell: ((text: string) => void) | undefined;
}

/** One life of a process: another start of it is another owner. */
export interface Life {
  readonly host: Host;
  readonly owner: string;
  /** How much faster than the database's its clock runs, as a part of 1. */
  readonly drift: number;
}

/** What of a send worker the invariants look at. */
export interface Sending extends Life {
  readonly runs: ReadonlySet<GrantRun>;
  /** Messages handed over whose outcome is not known yet. */
  readonly wire: number;
  /** Results known and not committed. */
  readonly unwritten: number;
}

export function monotonic(world: World, { drift }: Life): number {
  return world.time.now * (1 + drift);
}

/** A whole number of ms from `from` to `to`. */
export function someMs(world: World, from: number, to: number): number {
  return from + Math.floor(world.random() * (to - from + 1));
}
