/** Deploys leave no trace: no delivery in doubt, whatever is replaced, doubled or scaled to zero. */

import type { Grant } from '../../../ledger/grant.ts';
import { systemClock } from '../../../platform/clock.ts';
import { createProducer } from '../../../queues/producer.ts';
import { silentLog } from '../../test-database.ts';
import type { Experiment } from '../experiment.ts';
import { roles } from '../fleet.ts';
import { redisPrefix } from '../installation.ts';
import { longLease, shortLease } from '../settings.ts';
import type { Trial } from '../trial.ts';

const common = {
  group: 'deploys',
  settings: longLease,
  mostSettled: 0,
  expected: 'nothing lost, doubled or in doubt',
} as const;
const twoOfEach = { scheduler: 2, dispatcher: 2, render: 2, send: 2 };

async function underLoad(trial: Trial): Promise<void> {
  trial.slowDown();
  await trial.launch(1_500);
  await trial.waitForAccepted(100);
}

const rolling: Experiment = {
  ...common,
  name: 'rolling restart under load',
  injected: 'each worker of each kind is replaced under load: a new one starts, the old one gets SIGTERM',
  async run(trial) {
    await underLoad(trial);
    for (const role of roles) {
      const old = trial.worker(role);
      await trial.fleet.start(role);
      assertStopped(role, await old.stop());
    }
    trial.healed();
  },
};

const toZero: Experiment = {
  ...common,
  name: 'scaled to zero and back',
  injected: 'SIGTERM to every worker at once under load; all of them back after 2 s',
  async run(trial) {
    await underLoad(trial);
    const all = roles.flatMap((role) => trial.fleet.running(role).map((worker) => ({ role, worker })));
    await Promise.all(all.map(async ({ role, worker }) => assertStopped(role, await worker.stop())));
    await trial.assertSilence(2_000);
    await Promise.all(roles.map((role) => trial.fleet.start(role)));
    trial.healed();
  },
};

function assertStopped(role: string, code: number | null): void {
  if (code !== 0) throw new Error(`${role} exited with ${code} on SIGTERM`);
}

const twins: Experiment = {
  ...common,
  name: 'two of everything',
  injected: 'two schedulers, dispatchers, render and send workers on three campaigns',
  workers: twoOfEach,
  recoversWithinMs: 20_000,
  async run(trial) {
    await Promise.all([trial.launch(500), trial.launch(500), trial.launch(500)]);
    trial.healed();
  },
};

/** As BullMQ does it itself with a job it thinks stalled: while one worker is at it, another gets it. */
const doubledJob: Experiment = {
  ...common,
  name: 'jobs put on the belt again and again',
  injected:
    'the send jobs of all leased chunks on the belt again, every 100 ms under load, with two send workers',
  expected: 'a grant has one owner: nothing lost, doubled or in doubt',
  settings: shortLease,
  workers: { send: 2 },
  async run(trial) {
    const belt = { redis: trial.installation.redisClient, prefix: redisPrefix, shards: 1 };
    const producer = createProducer({ belt, stage: 'send', clock: systemClock, log: silentLog });
    await producer.start();
    await underLoad(trial);
    for (let i = 0; i < 30; i++) {
      const grants = await readLeased(trial);
      await producer.enqueue(grants.map((grant) => jobOf(grant, trial, i)));
      await trial.pause(100);
    }
    await producer.stop();
    trial.healed();
  },
};

type LeasedRow = {
  tenant_id: number;
  campaign_id: number;
  chunk_no: number;
  part: number;
  epoch: number;
  destination_id: number;
};

function readLeased(trial: Trial): Promise<LeasedRow[]> {
  return trial.installation.db.rows<LeasedRow>(
    'SELECT tenant_id, campaign_id, chunk_no, part, epoch, destination_id FROM chunks WHERE tenant_id IN (?) AND state = 2',
    [trial.tenantIds],
  );
}

/** The same grant under another name: the belt itself drops a job whose id it has. */
function jobOf(row: LeasedRow, trial: Trial, round: number) {
  const grant = {
    tenantId: row.tenant_id,
    campaignId: row.campaign_id,
    chunkNo: row.chunk_no,
    part: row.part,
    epoch: row.epoch,
    n: 500,
  } as Grant;
  const stale = { ...grant, chunkNo: 100_000 + round * 100 + row.chunk_no } as Grant;
  const { transportId } = trial.campaigns[0]!;
  return {
    class: 'campaign' as const,
    destinationId: row.destination_id,
    transportId,
    grants: [stale, grant],
  };
}

export const deploys: readonly Experiment[] = [rolling, toZero, twins, doubledJob];
