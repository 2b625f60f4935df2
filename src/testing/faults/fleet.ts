/** The workers as real processes, started as an operator would; killed, frozen and stopped as fate would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../wait-for.ts';
import type { Stoppable } from './service-scripts.ts';

/** The pipeline. */
export const roles = ['scheduler', 'dispatcher', 'render', 'send'] as const;
export const allRoles = [...roles, 'api'] as const;
export type Role = (typeof allRoles)[number];
/** Without a word about the API, none runs. */
export type RoleCounts = Readonly<Record<(typeof roles)[number], number>> & { readonly api?: number };

export interface Worker {
  readonly role: Role;
  readonly isRunning: boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** What it has logged so far. */
  readLog(): string;
}

export interface FleetOptions {
  /** Where workers/*.js lie: the build, or a mutant of it. */
  readonly distFolder: string;
  readonly logFolder: string;
  readonly environment: (role: Role) => NodeJS.ProcessEnv;
  /** Writes down who it is: should the suite be killed, the next run ends it. */
  readonly note?: (name: string, pid: number, worker: Stoppable) => void;
}

export interface Fleet {
  readonly distFolder: string;
  /** `distFolder`: another release than the fleet's. */
  start(role: Role, distFolder?: string): Promise<Worker>;
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

  async function start(role: Role, distFolder = options.distFolder): Promise<Worker> {
    const worker = new WorkerProcess(role, `${role}-${++started}`, { ...options, distFolder });
    workers.push(worker);
    await worker.whenStarted();
    return worker;
  }

  const running = (role: Role) => workers.filter((worker) => worker.role === role && worker.isRunning);

  return {
    distFolder: options.distFolder,
    start,
    running,
    async ensure(counts) {
      for (const role of allRoles) {
        const here = running(role);
        await Promise.all(here.slice(counts[role] ?? 0).map((worker) => worker.stop()));
      }
      const missing = allRoles.flatMap((role) =>
        Array.from({ length: Math.max(0, (counts[role] ?? 0) - running(role).length) }, () => role),
      );
      await Promise.all(missing.map((role) => start(role)));
    },
    async killAll() {
      await Promise.all(workers.map((worker) => worker.kill()));
    },
  };
}

function scriptOf(role: Role): string {
  return role === 'api' ? 'src/server.js' : `workers/${role}.js`;
}

class WorkerProcess implements Worker, Stoppable {
  readonly role: Role;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #ended: Promise<number | null>;

  constructor(role: Role, name: string, { distFolder, logFolder, environment, note }: FleetOptions) {
    this.role = role;
    this.#logFile = join(logFolder, `${name}.log`);
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(process.execPath, [join(distFolder, scriptOf(role))], {
      env: environment(role),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.pid) note?.(name, this.#child.pid, this);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async whenStarted(): Promise<void> {
    const hasStarted = async () => {
      if (!this.isRunning) throw new Error(`${this.role} ended while starting: ${this.#logFile}`);
      return this.readLog().includes('"msg":"started"');
    };
    await waitFor(`${this.role} to start`, hasStarted, startTimeoutMs);
  }

  readLog(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  killNow(): void {
    if (this.isRunning) this.#child.kill('SIGKILL');
  }

  async kill(): Promise<void> {
    this.killNow();
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
