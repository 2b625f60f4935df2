/** The random nemesis: campaigns and faults by a seeded schedule, all at once; then everything is healed, and the invariants must hold. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from './experiment.ts';
import type { Role } from './fleet.ts';
import { type NemesisStep, planNemesis } from './nemesis-plan.ts';
import type { Trial } from './trial.ts';

export interface NemesisOptions {
  readonly seed: number;
  readonly lengthMs: number;
  readonly log: (line: string) => void;
}

export function createNemesis({ seed, lengthMs, log }: NemesisOptions): Experiment {
  const seconds = Math.round(lengthMs / 1_000);
  return {
    name: `nemesis with seed ${seed} for ${seconds} s`,
    group: 'nemesis',
    injected: `campaigns and faults of every kind at random times (--seed ${seed} --minutes ${lengthMs / 60_000})`,
    expected: 'the invariants hold',
    // Every doubt is a fault's: the invariants tie each double to one.
    mostSettled: Infinity,
    async run(trial) {
      const steps = planNemesis(seed, lengthMs);
      for (const step of steps) log(`  ${JSON.stringify(step)}`);
      await playSteps(trial, steps);
      await heal(trial);
      trial.healed();
    },
  };
}

async function playSteps(trial: Trial, steps: readonly NemesisStep[]): Promise<void> {
  const startedAt = performance.now();
  const playing = steps.map(async (step) => {
    await sleep(Math.max(0, step.atMs - (performance.now() - startedAt)));
    await play(trial, step);
  });
  // A fault that meets another (a worker that is gone already, a database that is away) is none.
  await Promise.allSettled(playing);
}

async function heal(trial: Trial): Promise<void> {
  const { mysql, redis } = trial.installation;
  trial.installation.healProxies();
  trial.sink.setRules([]);
  trial.sink.release();
  await Promise.all([mysql.restart(), redis.restart()]);
  await trial.fleet.ensure({ scheduler: 1, dispatcher: 1, render: 1, send: 1 });
}

async function play(trial: Trial, step: NemesisStep): Promise<void> {
  switch (step.do) {
    case 'launch':
      await trial.launch(step.recipients, { inDoubtPolicy: step.policy });
      return;
    case 'kill':
      return replace(trial, step.role, () => trial.kill(step.role));
    case 'restart':
      return replace(trial, step.role, () => trial.worker(step.role).stop());
    case 'freeze':
      return freeze(trial, step.role, step.forMs);
    case 'kill-server':
      return killServer(trial, step.server, step.forMs);
    case 'flush':
      await trial.installation.redisClient.flushall();
      return;
    case 'smtp':
      trial.sink.addRule(ruleOf(step));
      return;
    default:
      return disturb(trial, step);
  }
}

async function replace(trial: Trial, role: Role, end: () => Promise<unknown>): Promise<void> {
  await end();
  if (trial.fleet.running(role).length === 0) await trial.fleet.start(role);
}

async function freeze(trial: Trial, role: Role, forMs: number): Promise<void> {
  const worker = trial.worker(role);
  worker.freeze();
  await sleep(forMs);
  worker.thaw();
}

async function killServer(trial: Trial, name: 'mysql' | 'redis', forMs: number): Promise<void> {
  const server = trial.installation[name];
  await server.kill();
  await sleep(forMs);
  await server.restart();
}

function ruleOf({ stage, takesEffect, times }: Extract<NemesisStep, { do: 'smtp' }>) {
  const action = takesEffect ? ({ do: 'reset', takesEffect } as const) : ({ do: 'hangup' } as const);
  return { stage, action, times, when: { everyNth: 5 } };
}

type Disturbance = Extract<NemesisStep, { do: 'cut' | 'slow' | 'partition' }>;

async function disturb(trial: Trial, { do: kind, role, server, forMs }: Disturbance): Promise<void> {
  const proxy = trial.installation.proxies[role][server];
  if (kind === 'slow') proxy.setMode({ kind: 'slow', latencyMs: 150 });
  else if (kind === 'partition') proxy.setMode({ kind: 'blackhole' });
  else proxy.addRule({ action: 'cutReply', matches: () => true, nth: 5, everyNth: 11 });
  await sleep(forMs);
  proxy.heal();
}
