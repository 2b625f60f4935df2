/** Follows the scaling signal until told to end: reads, changes, says what was changed. */
import { setTimeout as pause } from 'node:timers/promises';
import type { FleetProcesses } from './fleet-processes.ts';
import { type Desired, type PoolChange, planChanges } from './pool-change.ts';
import type { Reading } from './read-desired.ts';

export interface FollowOptions {
  readonly fleet: FleetProcesses;
  /** Undefined: nothing is known now. */
  readonly read: () => Promise<Reading | undefined>;
  readonly say: (line: string) => void;
  readonly min: number;
  readonly max: number;
  readonly signal: AbortSignal;
}

const everyMs = 500;

export async function followSignal(options: FollowOptions): Promise<void> {
  const { fleet, read, signal, min, max } = options;
  // Before anything is decided there are as many as there must be: a new signal begins with those that live.
  apply(options, { render: min, send: min, why: { render: 'minimum', send: 'minimum' } });
  while (!signal.aborted) {
    fleet.assertWhole();
    const reading = await read();
    if (reading && !signal.aborted) apply(options, reading);
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
  }

  function apply({ say }: FollowOptions, reading: Reading): void {
    const size = { workers: sizeOf(fleet), isStopping: fleet.isStopping, min, max };
    for (const change of planChanges(reading, size)) say(carryOut(fleet, change, reading));
  }
}

/** Answers the line that says so. */
function carryOut(fleet: FleetProcesses, change: PoolChange, { why }: Reading): string {
  const { pool } = change;
  const before = fleet.running(pool);
  if (change.kind === 'stop') fleet.stopNewest(pool);
  else for (let i = 0; i < change.workers; i++) fleet.start(pool);
  return `${pool} ${before} -> ${fleet.running(pool)} (${why[pool]})`;
}

function sizeOf(fleet: FleetProcesses): Desired {
  return { render: fleet.running('render'), send: fleet.running('send') };
}
