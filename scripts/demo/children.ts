/** The pipeline's processes, started as an operator would, each with its log file; all of them stopped at the end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { nodeOptions } from '../node-options.ts';

export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
}

export interface Children {
  /** Runs `node <script>`; its output goes to `<name>.log`. */
  start(name: string, script: string, args?: readonly string[]): Child;
  /** Resolves with the first line a child prints; rejects when it ends first. */
  firstLine(child: Child): Promise<string>;
  /** SIGTERM to all, newest first; SIGKILL after the bound. Idempotent. */
  stop(): Promise<void>;
}

const stopTimeoutMs = 20_000;

export interface ChildrenOptions {
  readonly logFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** A child that ends by itself is a failure of the whole. */
  readonly onDeath: (name: string, code: number | null) => void;
  /** Options of Node for the process of that name, beyond those that its program is to be started with. */
  readonly nodeOptions?: (name: string) => readonly string[];
}

const none = () => [];

export function createChildren(options: ChildrenOptions): Children {
  const { logFolder, env, onDeath, nodeOptions: moreOptions = none } = options;
  const children: Child[] = [];
  let isStopping = false;

  return {
    start(name, script, args = []) {
      const nodeArgs = [...nodeOptions(script), ...moreOptions(name)];
      const child = spawn(process.execPath, [...nodeArgs, resolve('dist', script), ...args], {
        env,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const log = createWriteStream(join(logFolder, `${name}.log`));
      child.stdout.pipe(log);
      child.stderr.pipe(log);
      child.once('exit', (code) => {
        if (!isStopping) onDeath(name, code);
      });
      children.push({ name, process: child });
      return { name, process: child };
    },
    firstLine({ name, process: child }) {
      return new Promise((fulfil, reject) => {
        child.stdout?.once('data', (data: Buffer) => fulfil(data.toString().split('\n')[0] ?? ''));
        child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready`)));
      });
    },
    async stop() {
      isStopping = true;
      await Promise.all(
        children
          .splice(0)
          .reverse()
          .map(({ process: child }) => stopChild(child)),
      );
    },
  };
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((fulfil) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    child.once('exit', () => {
      clearTimeout(timer);
      fulfil();
    });
    child.kill('SIGTERM');
  });
}

/** A port that was free a moment ago, below those that systems give to outgoing connections and to `listen(0)`: nobody takes it by chance. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await canListen(port)) return port;
  }
  throw new Error('no free port between 15000 and 30000');
}

function canListen(port: number): Promise<boolean> {
  return new Promise((fulfil) => {
    const server = createServer();
    server.once('error', () => fulfil(false));
    server.listen(port, '127.0.0.1', () => server.close(() => fulfil(true)));
  });
}
