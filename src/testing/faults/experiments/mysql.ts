/** MySQL is the truth: while it can't be written, nothing starts; when it is back, sending resumes by itself. */
import { waitFor } from '../../wait-for.ts';
import type { Experiment } from '../experiment.ts';
import { roles } from '../fleet.ts';
import { fillDisk, freeDisk, prepareFullDisk } from '../full-disk.ts';
import { longLease, shortLease } from '../settings.ts';
import type { Trial } from '../trial.ts';

const expected = 'nothing starts meanwhile; sending resumes by itself; nothing lost, doubled or in doubt';
const common = {
  group: 'MySQL',
  settings: longLease,
  mostSettled: 0,
  recoversWithinMs: 20_000,
  expected,
} as const;

async function underLoad(trial: Trial, recipients = 1_500): Promise<void> {
  trial.slowDown();
  await trial.launch(recipients);
  await trial.waitForAccepted(100);
}

/** What holds an intent may still start, for a second. */
async function assertNothingStarts(trial: Trial): Promise<void> {
  await trial.pause(1_300);
  await trial.assertSilence(1_200);
}

const killed: Experiment = {
  ...common,
  name: 'MySQL killed and restarted',
  injected: 'SIGKILL of MySQL under load; back after 3 s',
  async run(trial) {
    await underLoad(trial);
    await trial.installation.mysql.kill();
    await assertNothingStarts(trial);
    await trial.installation.mysql.restart();
    trial.healed();
  },
};

const killedForLong: Experiment = {
  ...common,
  name: 'MySQL away for longer than a lease',
  injected: 'SIGKILL of MySQL under load; back after two leases, all of which are over by then',
  expected: 'nothing starts meanwhile; late outcomes settle what was in doubt at its return',
  settings: shortLease,
  mostSettled: 10,
  async run(trial) {
    await underLoad(trial);
    await trial.installation.mysql.kill();
    await assertNothingStarts(trial);
    await trial.pause(2_500);
    await trial.installation.mysql.restart();
    trial.healed();
  },
};

const silent: Experiment = {
  ...common,
  name: 'MySQL silent',
  injected: 'SIGSTOP of MySQL under load for 4 s: connections stand, nothing answers',
  async run(trial) {
    await underLoad(trial);
    trial.installation.mysql.freeze();
    await assertNothingStarts(trial);
    await trial.pause(1_500);
    trial.installation.mysql.thaw();
    trial.healed();
  },
};

const readOnly: Experiment = {
  ...common,
  name: 'MySQL read-only',
  injected: 'SET GLOBAL read_only = 1 under load for 3 s',
  async run(trial) {
    await underLoad(trial);
    await trial.installation.db.write('SET GLOBAL read_only = 1');
    await assertNothingStarts(trial);
    await trial.installation.db.write('SET GLOBAL read_only = 0');
    trial.healed();
  },
};

const slow: Experiment = {
  ...common,
  name: 'MySQL 100 ms away',
  injected: '50 ms each way between MySQL and every stage, from first to last',
  expected: 'slower; nothing lost, doubled or in doubt',
  async run(trial) {
    for (const role of roles) trial.installation.proxies[role].mysql.setMode({ kind: 'slow', latencyMs: 50 });
    await trial.launch(150);
    await trial.waitForAccepted(150);
    trial.healed();
  },
};

const tooMany: Experiment = {
  ...common,
  name: 'MySQL refuses connections',
  injected: 'every connection reset and max_connections = 10 under load for 3 s',
  expected: 'sending resumes by itself; nothing lost, doubled or in doubt',
  async run(trial) {
    const { db, proxies } = trial.installation;
    await underLoad(trial);
    await db.write('SET GLOBAL max_connections = 10');
    for (const role of roles) proxies[role].mysql.cutAll();
    await trial.pause(3_000);
    await db.write('SET GLOBAL max_connections = 400');
    trial.healed();
  },
};

/** Takes the ledger's locks in the order opposite to its own. */
async function provokeDeadlocks(trial: Trial, ms: number): Promise<number> {
  const { db } = trial.installation;
  const until = performance.now() + ms;
  let collisions = 0;
  while (performance.now() < until) {
    await db
      .transaction(async (tx) => {
        await tx.rows('SELECT 1 FROM campaign_counters WHERE tenant_id IN (?) FOR UPDATE', [trial.tenantIds]);
        await tx.rows('SELECT 1 FROM chunks WHERE tenant_id IN (?) FOR UPDATE', [trial.tenantIds]);
        await tx.rows('SELECT 1 FROM deliveries WHERE tenant_id IN (?) LIMIT 50 FOR UPDATE', [
          trial.tenantIds,
        ]);
      })
      .catch(() => collisions++);
    await trial.pause(20);
  }
  return collisions;
}

const deadlocks: Experiment = {
  ...common,
  name: 'deadlocks',
  injected: 'two sessions that lock counters, chunks and deliveries in the wrong order, for 4 s',
  expected: 'nothing lost, doubled or in doubt',
  async run(trial) {
    await underLoad(trial, 1_000);
    await Promise.all([provokeDeadlocks(trial, 4_000), provokeDeadlocks(trial, 4_000)]);
    trial.healed();
  },
};

const mostLinesPerSecond = 100;

/** Nobody gives up, and nobody asks again without a pause. */
async function assertPatience(trial: Trial, ms: number): Promise<void> {
  const workers = roles.map((role) => trial.worker(role));
  const lines = () => workers.reduce((sum, worker) => sum + worker.readLog().split('\n').length, 0);
  const before = lines();
  await trial.pause(ms);
  const perSecond = ((lines() - before) / ms) * 1_000;
  if (perSecond > mostLinesPerSecond) throw new Error(`${Math.round(perSecond)} lines of log a second`);
  const gone = workers.filter((worker) => !worker.isRunning);
  if (gone.length > 0) throw new Error(`${gone.map(({ role }) => role).join(', ')} gave up`);
}

const full: Experiment = {
  ...common,
  name: 'MySQL has no room left',
  injected:
    'no table of the ledger can grow (error 1114) while one campaign is sent and another begins; room again after 4 s',
  expected:
    'no worker ends or spins; the second campaign waits; sending resumes by itself; nothing lost, doubled or in doubt',
  async run(trial) {
    const { installation } = trial;
    await prepareFullDisk(installation);
    await underLoad(trial);
    await fillDisk(installation);
    try {
      const second = await trial.launch(1_000);
      const scheduler = trial.worker('scheduler');
      await waitFor('the scheduler to meet it', async () =>
        scheduler.readLog().includes('ER_RECORD_FILE_FULL'),
      );
      await assertPatience(trial, 4_000);
      const rows = await installation.db.rows('SELECT 1 FROM deliveries WHERE tenant_id = ?', [
        second.tenantId,
      ]);
      if (rows.length === 1_000) throw new Error('there was room for the second campaign');
    } finally {
      freeDisk(installation);
    }
    trial.healed();
  },
};

export const mysql: readonly Experiment[] = [
  killed,
  killedForLong,
  silent,
  readOnly,
  slow,
  tooMany,
  deadlocks,
  full,
];
