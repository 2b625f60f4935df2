/** Experiments mostly wait for leases and policies: several installations side by side take their turns from one list. */
import type { Experiment } from './experiment.ts';
import { type Installation, startInstallation } from './installation.ts';
import { type Result, runExperiment } from './run-experiment.ts';

export interface Run {
  readonly experiment: Experiment;
  readonly distFolder: string;
}

export interface LanesOptions {
  readonly lanes: number;
  readonly runs: readonly Run[];
  readonly report: (run: Run, result: Result) => void;
}

export async function runLanes({ lanes, runs, report }: LanesOptions): Promise<readonly Result[]> {
  const results = new Map<Run, Result>();
  const waiting = [...runs];

  async function work(lane: number): Promise<void> {
    if (waiting.length === 0) return;
    const installation = await startInstallation(`faults-${lane}`);
    try {
      await workThrough(installation);
    } finally {
      await installation.stop();
    }
  }

  async function workThrough(installation: Installation): Promise<void> {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      const result = await runExperiment(run.experiment, installation, run.distFolder);
      results.set(run, result);
      report(run, result);
    }
  }

  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)));
  return runs.flatMap((run) => results.get(run) ?? []);
}
