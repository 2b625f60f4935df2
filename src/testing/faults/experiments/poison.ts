/** A recipient that kills every renderer that meets it: found by halving, skipped alone, and no restart spiral meanwhile. */
import { deliveryStates } from '../../../ledger/states.ts';
import { waitFor } from '../../wait-for.ts';
import type { Experiment } from '../experiment.ts';
import { redisPrefix } from '../installation.ts';
import type { Edit } from '../mutant.ts';
import type { FleetSettings } from '../settings.ts';
import type { Trial } from '../trial.ts';

/** The shortest lease there is: each crash costs one. */
const settings: FleetSettings = { leaseMs: 2_000, settleAfterMs: 3_000 };
const recipients = 8;
/** Not the first and not the last: halving has to find it. */
const poisoned = 'person5@example.com';
/** Two with all eight, then with four, two and one. */
const mostCrashes = 5;
const lookEveryMs = 100;

/** What keeps renderers running in production does it here, as long as they do not die in a spiral. Answers how many died. */
async function superviseRenderers(trial: Trial, most = mostCrashes): Promise<number> {
  let crashes = 0;
  let isOver = false;
  const end = trial.waitForEnd().finally(() => {
    isOver = true;
  });
  end.catch(() => undefined);
  while (!isOver) {
    await trial.pause(lookEveryMs);
    if (trial.fleet.running('render').length > 0) continue;
    if (++crashes > most) throw new Error(`${crashes} renderers died`);
    trial.killedWorkers++;
    // It may die again before it has said that it runs.
    await trial.fleet.start('render').catch(() => undefined);
  }
  await end;
  return crashes;
}

const edits: readonly Edit[] = [
  {
    file: 'src/render/stage/render-recipients.js',
    find: 'if (recipient.email === null)',
    replace: `if (recipient.email === '${poisoned}') process.kill(process.pid, 'SIGKILL');
      if (recipient.email === null)`,
  },
];

const fatalRecipient: Experiment = {
  name: 'a recipient that kills renderers',
  group: 'poison',
  injected: `the renderer is killed (SIGKILL) whenever it comes to one of ${recipients} recipients, and restarted at once`,
  expected: `at most ${mostCrashes} crashes; that one is skipped as poison, all others are sent`,
  settings,
  mostSettled: 0,
  edits,
  async run(trial) {
    await trial.launch(recipients);
    const crashes = await superviseRenderers(trial);
    trial.healed();
    if (crashes === 0) throw new Error('no renderer died');
    const { byAddress } = trial.sink.accepted();
    if (byAddress.has(poisoned) || byAddress.size !== recipients - 1)
      throw new Error(`${byAddress.size} were sent`);
    await assertSkippedAsPoison(trial);
  },
};

async function assertSkippedAsPoison(trial: Trial): Promise<void> {
  const rows = await trial.installation.db.rows<{ reason: string }>(
    'SELECT reason FROM deliveries WHERE tenant_id IN (?) AND state = ?',
    [trial.tenantIds, deliveryStates.skipped],
  );
  const reasons = rows.map(({ reason }) => reason);
  if (reasons.join() !== 'poison') throw new Error(`skipped: ${reasons.join() || 'none'}`);
}

const neighbours = [60, 1, 1, 1] as const;

/** Whoever dies takes with it what it had begun beside the poison; a chunk of one has no half to be cleared by. */
const innocents: Experiment = {
  name: 'innocent messages beside poison',
  group: 'poison',
  injected: `the same, with campaigns to ${neighbours.join(', ')} recipients that wait for the same renderer`,
  expected: `at most ${mostCrashes} crashes; the one is skipped as poison, all others of all campaigns are sent`,
  settings,
  mostSettled: 0,
  edits,
  workers: { render: 0 },
  async run(trial) {
    await trial.launch(recipients);
    for (const size of neighbours) await trial.launch(size);
    await waitForJobs(trial, 1 + neighbours.length);
    const crashes = await superviseRenderers(trial, mostCrashes + 1);
    trial.healed();
    if (crashes < 2) throw new Error('no renderer died');
    await assertSkippedAsPoison(trial);
    const { byAddress } = trial.sink.accepted();
    if (byAddress.has(poisoned) || byAddress.size !== trial.recipients - 1)
      throw new Error(`${byAddress.size} were sent`);
  },
};

async function waitForJobs(trial: Trial, jobs: number): Promise<void> {
  const { redisClient } = trial.installation;
  const isThere = async () => (await redisClient.llen(`${redisPrefix}:belt:render-campaign:wait`)) >= jobs;
  await waitFor(`${jobs} jobs on the belt`, isThere);
}

export const poison: readonly Experiment[] = [fatalRecipient, innocents];
