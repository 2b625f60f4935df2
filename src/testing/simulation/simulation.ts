/**
 * Runs one schedule: two dispatchers, two renderers and two send workers over one ledger, one belt and one mail server, until every delivery
 * is settled. Nothing in it is left to chance but what the schedule says: the same schedule gives the same run.
 */
import { type Random, seededRandom } from '../smtp-sink/seeded-random.ts';
import { ArmedFaults } from './armed-faults.ts';
import { Belt } from './belt.ts';
import { Fleet } from './fleet.ts';
import { assertEnd, isQuiet } from './invariants.ts';
import { makeTables } from './make-tables.ts';
import { act, resumeAgain } from './operator.ts';
import { allProtections, type Protections } from './protections.ts';
import type { Schedule } from './schedule.ts';
import type { Delivery, Tables } from './tables.ts';
import { Violation } from './violation.ts';
import { VirtualTime } from './virtual-time.ts';
import type { World } from './world.ts';

export interface Run {
  readonly steps: number;
  readonly virtualMs: number;
  readonly violation: Violation | undefined;
}

const leaseMs = 3_000;
const retryStepMs = 500;
/** Long after the last fault: what is not settled by then never will be. */
const longestMs = 180_000;

export function simulate(
  schedule: Schedule,
  protections: Protections = allProtections,
  tell?: (text: string) => void,
): Run {
  const world = makeWorld(schedule, protections, tell);
  const violation = runUntilQuiet(world);
  return { steps: world.time.steps, virtualMs: world.time.now, violation };
}

function makeWorld(schedule: Schedule, protections: Protections, tell?: (text: string) => void): World {
  const random = seededRandom(schedule.seed);
  const tables = makeTables(schedule.campaigns);
  const time = new VirtualTime();
  return {
    schedule,
    time,
    tables,
    random,
    rules: { leaseMs, retryStepMs, protections },
    belt: new Belt(),
    faults: new ArmedFaults(schedule.faults),
    outside: { name: 'outside', life: 0, stoppedUntil: 0 },
    poison: schedule.hasPoison ? pickPoison(tables, random) : undefined,
    senders: new Map(),
    doubtBudgets: new Map(),
    trouble: undefined,
    tell:
      tell && ((text) => tell(`${String(Math.round(time.now)).padStart(6)} ms  step ${time.steps}  ${text}`)),
  };
}

function pickPoison({ chunks }: Tables, random: Random): Delivery | undefined {
  const rows = chunks.flatMap((chunk) => chunk.rows);
  return rows[Math.floor(random() * rows.length)];
}

function runUntilQuiet(world: World): Violation | undefined {
  const fleet = new Fleet(world);
  try {
    fleet.start();
    world.time.spawn(world.outside, resumeAgain(world));
    world.time.run(
      () => isQuiet(world),
      longestMs,
      (host) => {
        world.faults.arm(world.time.steps);
        act(world);
        fleet.strike(host);
      },
    );
    assertEnd(world);
    return undefined;
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
}
