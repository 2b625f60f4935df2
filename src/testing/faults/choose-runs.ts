/** Which runs a command line asks for. */
import { join } from 'node:path';
import type { Experiment } from './experiment.ts';
import { experiments } from './experiments/all.ts';
import { assertMutable, buildMutant, type Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { createNemesis } from './nemesis.ts';
import type { Run } from './run-lanes.ts';

export interface Wishes {
  readonly only?: string | undefined;
  readonly mutants: boolean;
  readonly seed?: string | undefined;
  readonly minutes: string;
  /** Of the nemeses of a full run, with commas between them. */
  readonly seeds: string;
}

export interface Folders {
  readonly distFolder: string;
  readonly mutantsFolder: string;
}

/** Each of a full run's nemeses. */
const fixedSeedMs = 24_000;

export function chooseRuns(wishes: Wishes, folders: Folders): readonly Run[] {
  const { only } = wishes;
  assertMutable(
    folders.distFolder,
    mutants.flatMap(({ edits }) => edits),
  );
  if (wishes.seed !== undefined) {
    const log = (line: string) => console.log(line);
    return [
      plain(
        createNemesis({ seed: Number(wishes.seed), lengthMs: Number(wishes.minutes) * 60_000, log }),
        folders,
      ),
    ];
  }
  if (wishes.mutants) {
    const chosen = mutants.filter(({ protection }) => protection.includes(only ?? ''));
    return chosen.map((mutant, i) => mutated(mutant, i, folders));
  }
  if (only !== undefined) {
    const chosen = experiments.filter(({ group, name }) => `${group} ${name}`.includes(only));
    return chosen.map((experiment) => plain(experiment, folders));
  }
  const nemeses = wishes.seeds
    .split(',')
    .map((seed) => createNemesis({ seed: Number(seed), lengthMs: fixedSeedMs, log: () => undefined }));
  const quick = mutants.filter((mutant) => mutant.isQuick);
  return [
    ...[...experiments, ...nemeses].map((experiment) => plain(experiment, folders)),
    ...quick.map((mutant, i) => mutated(mutant, i, folders)),
  ];
}

function plain(experiment: Experiment, { distFolder, mutantsFolder }: Folders): Run {
  const { name, edits } = experiment;
  const folder = join(mutantsFolder, name.replaceAll(/[^a-z0-9]+/gi, '-'));
  return { experiment, prepare: () => (edits ? buildMutant(distFolder, folder, edits) : distFolder) };
}

function mutated(mutant: Mutant, index: number, { distFolder, mutantsFolder }: Folders): Run {
  const experiment = experiments.find(({ name }) => name === mutant.experiment);
  if (!experiment) throw new Error(`no experiment ${mutant.experiment}`);
  return {
    experiment,
    mutant,
    prepare: () =>
      buildMutant(distFolder, join(mutantsFolder, String(index)), [
        ...mutant.edits,
        ...(experiment.edits ?? []),
      ]),
  };
}
