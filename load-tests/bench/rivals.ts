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
  const size = String(kilobytes * 1024);
  const options = [
    '-d',
    '-s',
    String(connections),
    '-m',
    String(messages),
    '-l',
    size,
    '-f',
    'a@example.com',
    '-t',
    'b@example.com',
  ];
  const started = performance.now();
  await run(program, [...options, `127.0.0.1:${target.port}`]);
  return { messages, seconds: (performance.now() - started) / 1000 };
}

export async function runBaseline(
  target: Target,
  messages: number,
  kilobytes: number,
  databaseUrl: string,
): Promise<RivalRun> {
  const script = resolve('dist/load-tests/bench/baseline.js');
  const output = await run(
    process.execPath,
    [script, String(target.port), String(messages), String(kilobytes)],
    {
      ...process.env,
      DATABASE_URL: databaseUrl,
    },
  );
  return JSON.parse(output) as RivalRun;
}

function run(program: string, args: readonly string[], env = process.env): Promise<string> {
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
