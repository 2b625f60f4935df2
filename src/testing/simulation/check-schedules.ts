/** Makes schedules, runs them, and shrinks the first that breaks an invariant to the few faults that matter. */
import fc from 'fast-check';
import { allProtections, type Protections } from './protections.ts';
import { describeFault, type Schedule, schedules } from './schedule.ts';
import { simulate } from './simulation.ts';
import type { Invariant } from './violation.ts';

export interface CheckOptions {
  readonly seed: number;
  readonly schedules: number;
  readonly protections?: Protections;
  /** fast-check's path to one schedule and its shrinking. */
  readonly path?: string;
  /** Stop at the first that fails, as it is. */
  readonly isUnshrunk?: boolean;
}

export interface Checked {
  readonly runs: number;
  readonly steps: number;
  readonly elapsedMs: number;
  readonly broken: Broken | undefined;
}

export interface Broken {
  readonly invariant: Invariant;
  readonly schedule: Schedule;
  readonly path: string;
  /** The schedule and what happened, to be read. */
  readonly story: string;
}

export function checkSchedules(options: CheckOptions): Checked {
  const { seed, schedules: numRuns, protections = allProtections, path, isUnshrunk = false } = options;
  let runs = 0;
  let steps = 0;
  const holds = fc.property(schedules, (schedule) => {
    const run = simulate(schedule, protections);
    runs++;
    steps += run.steps;
    return run.violation === undefined;
  });
  const startedAt = performance.now();
  const details = fc.check(holds, {
    seed,
    numRuns,
    endOnFailure: isUnshrunk,
    ...(path !== undefined && { path }),
  });
  const elapsedMs = performance.now() - startedAt;
  const [schedule] = details.counterexample ?? [];
  const error = details.errorInstance;
  if (schedule === undefined) return { runs, steps, elapsedMs, broken: undefined };
  // A throw that is no violation is a mistake of the model itself.
  if (error instanceof Error && !error.message.startsWith('Property failed')) throw error;
  return {
    runs,
    steps,
    elapsedMs,
    broken: tellStory(schedule, protections, details.counterexamplePath ?? ''),
  };
}

function tellStory(schedule: Schedule, protections: Protections, path: string): Broken {
  const told: string[] = [];
  const { violation } = simulate(schedule, protections, (text) => told.push(text));
  const { faults, campaigns, ...shape } = schedule;
  const story = [
    `broken: ${violation?.message}`,
    JSON.stringify(shape),
    ...campaigns.map((campaign) => JSON.stringify(campaign)),
    ...faults.map(describeFault),
    'what happened:',
    ...told.slice(-60),
  ].join('\n');
  return { invariant: violation?.invariant as Invariant, schedule, path, story };
}
