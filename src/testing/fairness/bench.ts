/** The hands of an experiment: its tables, its sink, its workers, and the time that it may take. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet, RoleCounts } from '../faults/fleet.ts';
import { waitFor } from '../wait-for.ts';
import type { Experiment } from './experiment.ts';
import type { Installation } from './installation.ts';
import { type SinkProcess, startSink } from './sink-process.ts';
import type { Tables } from './tenants.ts';

export interface Bench {
  readonly installation: Installation;
  readonly tables: Tables;
  readonly sink: SinkProcess;
  /** Smaller sizes and shorter times, for CI. */
  readonly isQuick: boolean;
  /** The mechanism is missing: it is enough to see the harm, and it need not be seen for long. */
  readonly isControl: boolean;
  /** Starts the workers, or brings their number to this. */
  startWorkers(counts?: Partial<RoleCounts>): Promise<Fleet>;
  /** Loads take time: an experiment that lasts says so by waiting here. */
  pause(ms: number): Promise<void>;
  waitUntil(what: string, isSo: () => Promise<boolean>, timeoutMs: number): Promise<void>;
}

const oneOfEach: RoleCounts = { scheduler: 1, dispatcher: 1, render: 1, send: 1 };

export interface BenchOptions {
  readonly installation: Installation;
  readonly experiment: Experiment;
  readonly distFolder: string;
  readonly isQuick: boolean;
  readonly isControl: boolean;
}

/** Empties the installation, runs the experiment, and ends all that it started. */
export async function runOnBench<T>(options: BenchOptions, run: (bench: Bench) => Promise<T>): Promise<T> {
  const { installation, experiment, distFolder, isQuick, isControl } = options;
  await installation.reset();
  const name = `${experiment.name}${isControl ? '-without' : ''}`;
  const sink = await startSink(join(installation.folder, `${name}-${Date.now()}.log`));
  try {
    return await run({
      installation,
      tables: installation,
      sink,
      isQuick,
      isControl,
      startWorkers: (counts = {}) =>
        installation.fleet(
          distFolder,
          { ...oneOfEach, ...experiment.workers, ...counts },
          experiment.settings ?? {},
        ),
      pause: (ms) => sleep(ms),
      waitUntil: async (what, isSo, timeoutMs) => void (await waitFor(what, isSo, timeoutMs, 100)),
    });
  } finally {
    await installation.endWorkers();
    await sink.stop();
  }
}
