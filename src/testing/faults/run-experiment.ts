/** Runs one experiment and judges it. */
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createSmtpSink } from '../smtp-sink/sink.ts';
import { waitFor } from '../wait-for.ts';
import { checkBelt } from './belt-left.ts';
import type { Experiment } from './experiment.ts';
import type { Installation } from './installation.ts';
import { checkInvariants, type Seen } from './invariants.ts';
import { readLedger } from './ledger-view.ts';
import { shortLease } from './settings.ts';
import { Trial } from './trial.ts';

export interface Result {
  readonly name: string;
  readonly group: string;
  readonly injected: string;
  readonly expected: string;
  readonly passed: boolean;
  readonly seen: Seen | undefined;
  /** From the end of the fault to the end of the campaigns. */
  readonly recoveredMs: number;
  readonly tookMs: number;
  /** Empty when it passed. */
  readonly violations: readonly string[];
}

const oneOfEach = { scheduler: 1, dispatcher: 1, render: 1, send: 1 } as const;
const mostReported = 5;
const mostCleaningMs = 5_000;

export async function runExperiment(
  experiment: Experiment,
  installation: Installation,
  prepare: () => string,
): Promise<Result> {
  const startedAt = performance.now();
  const sink = createSmtpSink(experiment.sink);
  let judged: Judged = { violations: [], seen: undefined, recoveredMs: 0 };
  try {
    await sink.start();
    const fleet = await installation.fleet(prepare(), experiment.settings ?? shortLease);
    await fleet.ensure({ ...oneOfEach, ...experiment.workers });
    judged = await inject(experiment, new Trial({ installation, fleet, sink }));
  } catch (error) {
    judged = { ...judged, violations: [error instanceof Error ? error.message : String(error)] };
  }
  installation.healProxies();
  await sink.stop();
  const passed = judged.violations.length === 0;
  if (!passed) {
    keepLogs(installation.folder, experiment.name);
    await installation.reset();
  }
  const { name, group, injected, expected } = experiment;
  return { name, group, injected, expected, passed, tookMs: performance.now() - startedAt, ...judged };
}

/** The workers' logs of a lane, for whoever looks into the failure. */
function keepLogs(folder: string, name: string): void {
  const kept = resolve('.sluice/faults', name.replaceAll(/[^a-z0-9]+/gi, '-'));
  cpSync(join(folder, 'logs'), kept, { recursive: true });
}

type Judged = Pick<Result, 'violations' | 'seen' | 'recoveredMs'>;

async function inject(experiment: Experiment, trial: Trial): Promise<Judged> {
  const violations: string[] = [];
  // An experiment that gave up still tells what the ledger and the sink say.
  await experiment.run(trial).catch((error: Error) => violations.push(error.message));
  trial.installation.healProxies();
  await trial.waitForEnd().catch((error: Error) => violations.push(`I1 ${error.message}`));
  const recoveredMs = trial.sinceHealedMs;
  const judged = await judge(experiment, trial, recoveredMs);
  const all = [...violations, ...judged.violations];
  const more = all.length > mostReported ? [`and ${all.length - mostReported} more`] : [];
  return { ...judged, recoveredMs, violations: [...all.slice(0, mostReported), ...more] };
}

async function judge(experiment: Experiment, trial: Trial, recoveredMs: number) {
  const { db, redisClient } = trial.installation;
  const ledger = await readLedger(db, trial.tenantIds);
  const accepted = trial.sink.accepted().byMessageId;
  const { violations, seen } = checkInvariants({ recipients: trial.recipients, ledger, accepted });
  const left = await waitForCleanBelt(() => checkBelt(redisClient, trial.tenantIds, trial.killedWorkers));
  return { seen, violations: [...violations, ...left, ...checkBounds(experiment, seen, recoveredMs)] };
}

/** A job leaves the belt after its campaign is over: its acknowledgement comes last. */
async function waitForCleanBelt(check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const isClean = async () => (await check()).length === 0;
  await waitFor('a clean belt', isClean, mostCleaningMs).catch(() => undefined);
  return check();
}

function checkBounds(experiment: Experiment, seen: Seen, recoveredMs: number): readonly string[] {
  const { mostSettled, mostDoubled = mostSettled, recoversWithinMs = Infinity } = experiment;
  return [
    ...(seen.settled <= mostSettled ? [] : [`${seen.settled} were in doubt, at most ${mostSettled} may be`]),
    ...(seen.doubled <= mostDoubled ? [] : [`${seen.doubled} were doubled, at most ${mostDoubled} may be`]),
    ...(recoveredMs <= recoversWithinMs
      ? []
      : [`recovered after ${Math.round(recoveredMs)} ms, not ${recoversWithinMs}`]),
  ];
}
