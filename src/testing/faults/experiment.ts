/** One experiment: what is done to the pipeline, and what must come of it. */
import type { SinkOptions } from '../smtp-sink/options.ts';
import type { RoleCounts } from './fleet.ts';
import type { Edit } from './mutant.ts';
import type { FleetSettings } from './settings.ts';
import type { Trial } from './trial.ts';

export interface Experiment {
  readonly name: string;
  readonly group: Group;
  readonly injected: string;
  readonly expected: string;
  /** Default: the short lease. */
  readonly settings?: FleetSettings;
  /** Default: one of each. */
  readonly workers?: Partial<RoleCounts>;
  /** Default: takes all mail. */
  readonly sink?: SinkOptions;
  /** What is altered in a copy of the build, to have a stage fail in a way that only its code can. */
  readonly edits?: readonly Edit[];
  /** Most deliveries that a policy may have to settle: 0 where nothing may be in doubt. */
  readonly mostSettled: number;
  /** Most recipients with two copies; default: `mostSettled`. */
  readonly mostDoubled?: number;
  /** Injects. It throws when the edge was not reached or when something is wrong already. */
  readonly run: (trial: Trial) => Promise<void>;
  /** From the end of the fault to the end of the campaigns, ms. */
  readonly recoversWithinMs?: number;
}

export const groups = [
  'send worker killed',
  'other workers killed',
  'lost replies',
  'frozen workers',
  'SMTP',
  'Redis',
  'MySQL',
  'operator',
  'poison',
  'deploys',
  'nemesis',
] as const;
export type Group = (typeof groups)[number];

/** What one dead send worker may leave in doubt: what was on the wire (its connections) and two groups of intents. */
export const doubtBound = 10 + 2 * 64;
