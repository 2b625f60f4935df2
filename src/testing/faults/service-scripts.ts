/**
 * The modules in scripts/services run without a build and are not in dist: they are loaded by path from the checkout, which is the working folder
 * of every npm script.
 */
import type { ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A server's binary and the environment it needs. */
export interface Program {
  readonly binary: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Stoppable {
  stop(): Promise<unknown>;
  killNow(): void;
}

export interface ServerProcess extends Stoppable {
  readonly child: ChildProcess;
  readonly isRunning: boolean;
  readonly lastWords: string;
  readonly ended: Promise<unknown>;
}

/** A folder of one run's own; what a killed run leaves behind, the next one ends and removes. */
export interface Instance {
  readonly folder: string;
  addProcess(name: string, pid: number, process: Stoppable): void;
  socketPath(name: string): string;
  emptyFolder(name: string): string;
  close(): Promise<void>;
  closeNow(): void;
}

/** What a server needs of an instance; it is told of each process that the server starts. */
export interface ServerHome extends Omit<Instance, 'addProcess' | 'close' | 'closeNow'> {
  addProcess(name: string, pid: number, process: ServerProcess): void;
}

interface Command extends Program {
  readonly args: readonly string[];
}

export interface ServiceScripts {
  openInstance(label: string): Instance;
  sweepKilledRuns(log: (line: string) => void): Promise<void>;
  startMysql(program: Program, instance: ServerHome): Promise<{ url: string }>;
  launch(name: string, instance: Instance, command: Command): ServerProcess;
  freePort(): Promise<number>;
  greetMysql(address: { host: string; port: number }): Promise<string>;
  pingRedis(address: { host: string; port: number }): Promise<void>;
  waitUntilReady(
    probe: () => Promise<unknown>,
    limits: { timeoutMs: number; isHopeless: () => boolean },
  ): Promise<void>;
  findProgram(name: 'mysql' | 'redis'): Promise<Program>;
}

const wanted = {
  mysql: {
    programs: ['mariadbd', 'mysqld'],
    packageSets: [['mariadb-server-core'], ['mysql-server-core-8.0']],
  },
  redis: { programs: ['redis-server', 'valkey-server'], packageSets: [['redis-server', 'redis-tools']] },
};

export async function loadServiceScripts(): Promise<ServiceScripts> {
  const load = (name: string) => import(pathToFileURL(resolve('scripts/services', `${name}.mjs`)).href);
  const [instance, mysql, probe, process_, programs, extract] = await Promise.all(
    ['instance', 'mysql', 'probe', 'server-process', 'programs', 'apt-extract'].map(load),
  );
  return {
    ...instance,
    ...mysql,
    ...probe,
    launch: (name, where, command) => new process_.ServerProcess(name, where, command),
    async findProgram(name) {
      const { programs: names } = wanted[name];
      const binary: string | undefined = programs.findIn(programs.serverFolders(), names);
      if (binary) return { binary, env: process.env };
      return extract.extractProgram({ name, ...wanted[name], log: console.error });
    },
  };
}
