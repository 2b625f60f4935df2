/** `npm run k6 -- smoke`, as a user runs it, where k6 can be had: on PATH, in the cache, or installed by Go, which takes minutes the first time. */
import { spawn } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';

const installTimeoutMs = 1_260_000;
let k6: string;
let reason: string | undefined;

beforeAll(async () => {
  const { code, out, err } = await run(['scripts/k6.mjs', '--install']);
  k6 = out.trim();
  // Without network or Go this is no failure of Sluice's, and is said.
  if (code !== 0) reason = err.trim();
  if (reason !== undefined) console.log(`skipped: ${reason}`);
}, installTimeoutMs);

test('the smoke scenario passes against a fleet of its own, and the sink has what the ledger calls sent', async ({
  skip,
}) => {
  skip(reason !== undefined, reason);
  // What it promises holds on any machine; how fast it is, only on a quiet one.
  const { code, out, err } = await run(['dist/scripts/k6-run.js', 'smoke', '--no-keep', '--slack', '20'], {
    LOAD_K6: k6,
  });
  expect(code, `${out}\n${err}`).toBe(0);
  const sent = /^recipients\{state:sent\} +(\d+)$/m.exec(out)?.[1];
  expect(Number(sent)).toBeGreaterThan(0);
  expect(out).toContain(`accepted ${sent} messages; by the ledger ${sent} are sent`);
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}
