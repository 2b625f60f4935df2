/** One experiment: a question, the load that asks it, the figures that answer it, and what is seen without the mechanism. */
import type { RoleCounts } from '../faults/fleet.ts';
import type { Edit } from '../faults/mutant.ts';
import type { Bench } from './bench.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Undefined: shown, not judged. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** For the plots: what was measured over time. `x` in seconds from the beginning unless the name says otherwise. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Something that was done to the pipeline at a moment, or from one to another. */
export interface Mark {
  readonly name: string;
  readonly fromS: number;
  readonly untilS?: number;
}

export interface Findings {
  readonly figures: readonly Figure[];
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
}

export interface Experiment {
  /** For `--only`, and the names of plots. */
  readonly name: string;
  readonly question: string;
  /** What the pipeline does about it. */
  readonly mechanism: string;
  readonly workers?: Partial<RoleCounts>;
  readonly settings?: Readonly<Record<string, string>>;
  /** The mechanism taken out of a copy of the build: then a bound must be broken. */
  readonly without: readonly Edit[];
  readonly run: (bench: Bench) => Promise<Findings>;
}

export function holds({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean {
  return value <= atMost && value >= atLeast;
}
