/** Experiments mostly wait for leases and policies: several installations side by side take their turns from one list. */
import type { Experiment } from './experiment.ts';
import { type Installation, startInstallation } from './installation.ts';
import type { Mutant } from './mutant.ts';
import { type Result, runExperiment } from './run-experiment.ts';

export interface Run {
  readonly experiment: Experiment;
  /** The protection that is missing: then the experiment has to fail. */
  readonly mutant?: Mutant;
  /** Answers the folder of the build to run. */
  readonly prepare: () => string;
}

export interface Outcome {
  readonly result: Result;
  readonly mutant?: Mutant;
  /** It passed; or it failed, and a protection was missing. */
  readonly isAsExpected: boolean;
}

export interface LanesOptions {
  readonly lanes: number;
  readonly runs: readonly Run[];
  readonly report: (outcome: Outcome) => void;
}

export async function runLanes({ lanes, runs, report }: LanesOptions): Promise<readonly Outcome[]> {
  const outcomes = new Map<Run, Outcome>();
  const waiting = [...runs];

  async function work(lane: number): Promise<void> {
    const installation = await startInstallation(`faults-${lane}`);
    try {
      await workThrough(installation);
    } finally {
      await installation.stop();
    }
  }

  async function workThrough(installation: Installation): Promise<void> {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      const outcome = await perform(run, installation);
      outcomes.set(run, outcome);
      report(outcome);
    }
  }

  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
  return runs.flatMap((run) => outcomes.get(run) ?? []);
}

async function perform({ experiment, mutant, prepare }: Run, installation: Installation): Promise<Outcome> {
  const result = await runExperiment(experiment, installation, prepare);
  // A mutant that could not even be run shows nothing.
  const isCaught = !result.passed && result.seen !== undefined;
  if (!mutant) return { result, isAsExpected: result.passed };
  return { result, mutant, isAsExpected: isCaught || mutant.maySurvive !== undefined };
}
