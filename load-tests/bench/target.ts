/** The other side of a benchmark: Postfix's smtp-sink where it is installed, our own sink otherwise. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface Target {
  readonly name: 'smtp-sink' | 'own sink';
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => `${folder}/${name}`)
    .find((path) => spawnSync(path, ['--help']).error === undefined);
}

/** A backlog far above the connections that will be opened; smtp-sink keeps nothing. */
export async function startTarget(port: number): Promise<Target> {
  const program = findProgram('smtp-sink');
  if (!program) return startOwnSink(port);
  const args = ['-c', '-u', userName(), `127.0.0.1:${port}`, '1000'];
  return listening('smtp-sink', port, spawn(program, args, { stdio: 'ignore' }));
}

export function startOwnSink(port: number): Promise<Target> {
  const script = resolve('dist/src/testing/smtp-sink/main.js');
  const args = [script, '--port', String(port), '--memory', 'counters'];
  return listening('own sink', port, spawn(process.execPath, args, { stdio: 'ignore' }));
}

async function listening(name: Target['name'], port: number, child: ChildProcess): Promise<Target> {
  await waitUntilListening(port, child);
  return { name, port, pid: child.pid as number, stop: () => child.kill('SIGTERM') };
}

/** smtp-sink refuses to stay root; for others the option is left alone. */
function userName(): string {
  return process.getuid?.() === 0 ? 'nobody' : (process.env.USER ?? 'nobody');
}

async function waitUntilListening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`the SMTP sink ended with ${child.exitCode}`);
    if (await canConnect(port)) return;
    await pause(25);
  }
  throw new Error('the SMTP sink did not listen');
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((fulfil) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      fulfil(true);
    });
    socket.once('error', () => fulfil(false));
  });
}
