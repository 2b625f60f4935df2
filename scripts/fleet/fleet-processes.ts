/**
 * The processes of a fleet. Each has a group of its own, so that Ctrl-C at the terminal reaches the fleet alone: a process that is told twice to stop
 * stops at once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeOptions } from '../node-options.ts';

const scripts = {
  api: 'src/server.js',
  scheduler: 'workers/scheduler.js',
  dispatcher: 'workers/dispatcher.js',
  feedback: 'workers/feedback.js',
  render: 'workers/render.js',
  send: 'workers/send.js',
} as const;
export type Role = keyof typeof scripts;

export interface FleetProcesses {
  migrate(): Promise<void>;
  start(role: Role): void;
  /** Those not told to stop. */
  running(role: Role): number;
  /** Somebody who was told to stop has not ended yet. */
  readonly isStopping: boolean;
  stopNewest(role: Role): void;
  /** Throws when a process that there is only one of has ended: it is not for a fleet to hide that. */
  assertWhole(): void;
  stopAll(): Promise<void>;
}

export interface FleetProcessesOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly logFolder: string;
  /** It ended by itself. */
  readonly onDeath: (name: string, code: number | null) => void;
}

interface Running {
  readonly role: Role;
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  isTold: boolean;
}

const ones: readonly Role[] = ['api', 'scheduler', 'dispatcher', 'feedback'];
/** Beyond the time that processes take by themselves. */
const spareMs = 5_000;
const defaultStopMs = 25_000;

export function createFleetProcesses({ env, logFolder, onDeath }: FleetProcessesOptions): FleetProcesses {
  const all = new Set<Running>();
  const importFile = pathToFileURL(join(import.meta.dirname, 'stop-with-parent.js')).href;
  const stopMs = (Number(env.STOP_TIMEOUT_MS) || defaultStopMs) + spareMs;
  let started = 0;
  let lost: string | undefined;

  function run(role: Role): void {
    const name = `${role}-${++started}`;
    const log = openSync(join(logFolder, `${name}.log`), 'a');
    const script = scripts[role];
    const args = [...nodeOptions(script), '--import', importFile, resolve('dist', script)];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    const one: Running = { role, name, child, ended, isTold: false };
    all.add(one);
    void ended.then((code) => forget(one, code));
  }

  function forget(one: Running, code: number | null): void {
    all.delete(one);
    if (one.isTold) return;
    onDeath(one.name, code);
    if (ones.includes(one.role)) lost = one.name;
  }

  function tell(one: Running): Promise<unknown> {
    if (!one.isTold) one.child.kill('SIGTERM');
    one.isTold = true;
    const timer = setTimeout(() => one.child.kill('SIGKILL'), stopMs);
    return one.ended.finally(() => clearTimeout(timer));
  }

  const of = (role: Role) => [...all].filter((one) => one.role === role && !one.isTold);
  return {
    migrate: () => runOnce('scripts/migrate.js', env),
    start: run,
    running: (role) => of(role).length,
    get isStopping() {
      return [...all].some(({ isTold }) => isTold);
    },
    stopNewest(role) {
      const newest = of(role).at(-1);
      if (newest) void tell(newest);
    },
    assertWhole() {
      if (lost) throw new Error(`${lost} ended: see its log in ${logFolder}`);
    },
    async stopAll() {
      await Promise.all([...all].map(tell));
    },
  };
}

async function runOnce(script: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [resolve('dist', script)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise((done) => child.once('exit', done));
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
}
