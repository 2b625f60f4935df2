/** Redis is a belt: whatever becomes of it, what it held is rebuilt from MySQL. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../wait-for.ts';
import type { Experiment } from '../experiment.ts';
import { type Role, roles } from '../fleet.ts';
import { redisPrefix } from '../installation.ts';
import type { ProxyMode } from '../proxy-link.ts';
import { longLease, shortLease } from '../settings.ts';
import type { Trial } from '../trial.ts';

/** With production's lease: recovery must not need one. */
const common = { group: 'Redis', settings: longLease, mostSettled: 0, recoversWithinMs: 20_000 } as const;
const expected = 'sending resumes by itself within 10 s; nothing lost, doubled or in doubt';
const recipients = 1_500;
const generationKey = `${redisPrefix}:generation`;

async function underLoad(trial: Trial): Promise<void> {
  trial.slowDown();
  await trial.launch(recipients);
  await trial.waitForAccepted(100);
}

function setMode(trial: Trial, stages: readonly Role[], mode: ProxyMode): void {
  for (const role of stages) trial.installation.proxies[role].redis.setMode(mode);
}

async function waitForJob(trial: Trial): Promise<void> {
  const { redisClient } = trial.installation;
  const isQueued = async () => (await redisClient.llen(`${redisPrefix}:belt:render-campaign:wait`)) > 0;
  await waitFor('a job on the belt', isQueued);
}

/** All jobs wait on the belt when it is emptied: nobody but the generation key tells. */
const emptiedWhileWaiting: Experiment = {
  ...common,
  name: 'FLUSHALL while jobs wait',
  injected: 'FLUSHALL while every job waits for a render worker',
  expected,
  recoversWithinMs: 10_000,
  workers: { render: 0 },
  async run(trial) {
    await trial.launch(400);
    await waitForJob(trial);
    await trial.installation.redisClient.flushall();
    await trial.fleet.start('render');
    trial.healed();
  },
};

const emptiedUnderLoad: Experiment = {
  ...common,
  name: 'FLUSHALL under load',
  injected: 'FLUSHALL three times in a campaign',
  expected,
  async run(trial) {
    await underLoad(trial);
    for (let i = 0; i < 3; i++) {
      await trial.installation.redisClient.flushall();
      await trial.pause(700);
    }
    trial.healed();
  },
};

const killed: Experiment = {
  ...common,
  name: 'Redis killed, back empty',
  injected: 'SIGKILL of Redis under load; back, empty, after 2 s',
  expected,
  async run(trial) {
    await underLoad(trial);
    await trial.installation.redis.kill();
    await trial.pause(2_000);
    await trial.installation.redis.restart();
    trial.healed();
  },
};

const full: Experiment = {
  ...common,
  name: 'Redis out of memory',
  injected: 'maxmemory of 1 MB under load, for 4 s',
  expected,
  async run(trial) {
    const { redisClient } = trial.installation;
    await underLoad(trial);
    await redisClient.config('SET', 'maxmemory', '1mb');
    await trial.pause(4_000);
    await redisClient.config('SET', 'maxmemory', '256mb');
    trial.healed();
  },
};

const slow: Experiment = {
  ...common,
  name: 'Redis 500 ms away',
  injected: '250 ms each way between Redis and every stage, from first to last',
  expected: 'slower to begin; nothing lost, doubled or in doubt',
  async run(trial) {
    setMode(trial, roles, { kind: 'slow', latencyMs: 250 });
    await trial.launch(600);
    await trial.waitForAccepted(600);
    trial.healed();
  },
};

const frozen: Experiment = {
  ...common,
  name: 'Redis silent',
  injected: 'SIGSTOP of Redis under load for 6 s: connections stand, nothing answers',
  expected,
  async run(trial) {
    await underLoad(trial);
    trial.installation.redis.freeze();
    await trial.pause(6_000);
    trial.installation.redis.thaw();
    trial.healed();
  },
};

function partitioned(stages: readonly Role[]): Experiment {
  return {
    ...common,
    name: `Redis partitioned from ${stages.join(' and ')}`,
    injected: `what ${stages.join(' and ')} and Redis say to each other is swallowed for 4 s`,
    expected: 'sending resumes by itself; nothing lost, doubled or in doubt',
    recoversWithinMs: 45_000,
    async run(trial) {
      await underLoad(trial);
      setMode(trial, stages, { kind: 'blackhole' });
      await trial.pause(4_000);
      trial.installation.healProxies();
      trial.healed();
    },
  };
}

/**
 * What a failover to a replica that lags leaves: jobs that were done are back, those of the last seconds are gone, and the generation key says
 * that nothing happened. Only leases bring the lost ones back.
 */
const failedOver: Experiment = {
  ...common,
  name: 'Redis fails over to an older snapshot',
  injected:
    'a snapshot of Redis under load; another campaign; SIGKILL when its jobs wait; back as the snapshot has it, the generation key included',
  expected: 'sending resumes by itself within 10 s; nothing lost, doubled or in doubt',
  settings: shortLease,
  async run(trial) {
    const { redis: server, redisClient, folder } = trial.installation;
    await underLoad(trial);
    const before = await redisClient.get(generationKey);
    await redisClient.save();
    await trial.worker('render').stop();
    await trial.launch(400);
    await waitForJob(trial);
    await server.kill();
    await server.restart();
    // Jobs that were at work in the snapshot are nobody's, as those of a killed worker: the belt finds them stalled after half a minute.
    trial.killedWorkers++;
    rmSync(join(folder, 'dump.rdb'));
    const after = await waitFor('Redis', () => redisClient.get(generationKey).catch(() => null));
    if (before === null || after !== before) throw new Error('the generation key is another one');
    await trial.fleet.start('render');
    trial.healed();
  },
};

export const redis: readonly Experiment[] = [
  emptiedWhileWaiting,
  emptiedUnderLoad,
  killed,
  full,
  slow,
  frozen,
  failedOver,
  partitioned(['dispatcher']),
  partitioned(['send']),
];
