/** What the pipeline is compared with: C's smtp-source, and the job-per-recipient design. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { findProgram, type Target } from './target.ts';

export interface RivalRun {
  readonly messages: number;
  readonly seconds: number;
  readonly cpuSeconds?: number;
  readonly peakMb?: number;
}

const connections = 10;

/** Postfix's load generator over ten connections that stay open; undefined where it is not installed. */
export async function runSmtpSource(
  target: Target,
  messages: number,
  kilobytes: number,
): Promise<RivalRun | undefined> {
  const program = findProgram('smtp-source');
  if (!program || target.name !== 'smtp-sink') return undefined;
  const options = [
    ...['-d', '-s', `${connections}`, '-m', `${messages}`, '-l', `${kilobytes * 1024}`],
    ...['-f', 'a@example.com', '-t', 'b@example.com', `127.0.0.1:${target.port}`],
  ];
  const started = performance.now();
  // The shell's `times` tells what its child has used: Node can't ask for it.
  const output = await run('sh', ['-c', '"$0" "$@" && times', program, ...options]);
  return { messages, seconds: (performance.now() - started) / 1000, cpuSeconds: childCpuSeconds(output) };
}

/** POSIX `times`: user and system time of the shell, and on the next line of its children, as 0m1.23s. */
function childCpuSeconds(output: string): number {
  const times = output.trim().split('\n').at(-1) ?? '';
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
}

export interface BaselineOptions {
  readonly target: Target;
  readonly messages: number;
  readonly kilobytes: number;
  readonly databaseUrl: string;
}

export async function runBaseline(options: BaselineOptions): Promise<RivalRun> {
  const { target, messages, kilobytes, databaseUrl } = options;
  const script = resolve('dist/load-tests/bench/baseline.js');
  const args = [script, String(target.port), String(messages), String(kilobytes)];
  const output = await run(process.execPath, args, { ...process.env, DATABASE_URL: databaseUrl });
  return JSON.parse(output) as RivalRun;
}

export function run(program: string, args: readonly string[], env = process.env): Promise<string> {
  return new Promise((fulfil, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? fulfil(output) : reject(new Error(`${program} ended with ${code}`)),
    );
  });
}
