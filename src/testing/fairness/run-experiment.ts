/** Runs one experiment, as it is or with its mechanism taken out, and judges it. */
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildMutant } from '../faults/mutant.ts';
import { runOnBench } from './bench.ts';
import { type Experiment, type Figure, type Findings, holds } from './experiment.ts';
import type { Installation } from './installation.ts';

export interface Result extends Findings {
  readonly name: string;
  readonly question: string;
  readonly mechanism: string;
  /** It ran without its mechanism. */
  readonly isControl: boolean;
  /** Every bound holds; of a control: one is broken. */
  readonly passed: boolean;
  readonly broken: readonly Figure[];
  /** It could not be run to its end. */
  readonly error?: string;
  readonly tookMs: number;
}

export interface RunOptions {
  readonly installation: Installation;
  readonly experiment: Experiment;
  readonly distFolder: string;
  /** For copies of the build. */
  readonly mutantsFolder: string;
  readonly isQuick: boolean;
  readonly isControl: boolean;
}

export async function runExperiment(options: RunOptions): Promise<Result> {
  const { experiment, isControl, installation } = options;
  const { name, question, mechanism } = experiment;
  const startedAt = performance.now();
  const described = { name, question, mechanism, isControl };
  try {
    const distFolder = prepareBuild(options);
    const findings = await runOnBench({ ...options, distFolder }, experiment.run);
    const broken = findings.figures.filter((figure) => !holds(figure));
    const passed = isControl ? broken.length > 0 : broken.length === 0;
    if (!passed) keepLogs(installation, `${name}${isControl ? '-without' : ''}`);
    return { ...described, ...findings, broken, passed, tookMs: performance.now() - startedAt };
  } catch (error) {
    keepLogs(installation, `${name}${isControl ? '-without' : ''}`);
    const message = error instanceof Error ? error.message : String(error);
    const nothing = { figures: [], series: [], broken: [] };
    return { ...described, ...nothing, passed: false, error: message, tookMs: performance.now() - startedAt };
  }
}

function prepareBuild({ experiment, distFolder, mutantsFolder, isControl }: RunOptions): string {
  if (!isControl) return distFolder;
  return buildMutant(distFolder, join(mutantsFolder, experiment.name), experiment.without);
}

/** The workers' logs, for whoever looks into the failure. */
function keepLogs({ folder }: Installation, name: string): void {
  cpSync(folder, resolve('.sluice/fairness', name), {
    recursive: true,
    filter: (source) => source === folder || source.includes('/logs-'),
  });
}
