/** The workers as real processes, started as an operator would; killed, frozen and stopped as fate would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../wait-for.ts';

export const roles = ['scheduler', 'dispatcher', 'render', 'send'] as const;
export type Role = (typeof roles)[number];
export type RoleCounts = Readonly<Record<Role, number>>;

export interface Worker {
  readonly role: Role;
  readonly isRunning: boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export interface FleetOptions {
  /** Where workers/*.js lie: the build, or a mutant of it. */
  readonly distFolder: string;
  readonly logFolder: string;
  readonly environment: (role: Role) => NodeJS.ProcessEnv;
}

export interface Fleet {
  start(role: Role): Promise<Worker>;
  /** Running ones, oldest first. */
  running(role: Role): readonly Worker[];
  /** Starts what is missing, stops what is too many. */
  ensure(counts: RoleCounts): Promise<void>;
  killAll(): Promise<void>;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 20_000;

export function createFleet(options: FleetOptions): Fleet {
  const workers: WorkerProcess[] = [];
  let started = 0;

  async function start(role: Role): Promise<Worker> {
    const worker = new WorkerProcess(role, `${role}-${++started}`, options);
    workers.push(worker);
    await worker.whenStarted();
    return worker;
  }

  const running = (role: Role) => workers.filter((worker) => worker.role === role && worker.isRunning);

  return {
    start,
    running,
    async ensure(counts) {
      for (const role of roles) {
        const here = running(role);
        await Promise.all(here.slice(counts[role]).map((worker) => worker.stop()));
      }
      const missing = roles.flatMap((role) =>
        Array.from({ length: Math.max(0, counts[role] - running(role).length) }, () => role),
      );
      await Promise.all(missing.map(start));
    },
    async killAll() {
      await Promise.all(workers.map((worker) => worker.kill()));
    },
  };
}

class WorkerProcess implements Worker {
  readonly role: Role;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #ended: Promise<number | null>;

  constructor(role: Role, name: string, { distFolder, logFolder, environment }: FleetOptions) {
    this.role = role;
    this.#logFile = join(logFolder, `${name}.log`);
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(process.execPath, [join(distFolder, 'workers', `${role}.js`)], {
      env: environment(role),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async whenStarted(): Promise<void> {
    const hasStarted = async () => {
      if (!this.isRunning) throw new Error(`${this.role} ended while starting: ${this.#logFile}`);
      return readFileSync(this.#logFile, 'utf8').includes('"msg":"started"');
    };
    await waitFor(`${this.role} to start`, hasStarted, startTimeoutMs);
  }

  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<number | null> {
    if (this.isRunning) this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    const code = await this.#ended;
    clearTimeout(timer);
    return code;
  }
}
