/** The README's first command, small: every process, the REST API, a real SMTP server, and the comparison at the end. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

test('the demo accounts for every recipient, and leaves no process behind', async () => {
  const { code, output } = await runDemo(['--recipients', '1500', '--workers', '2']);
  expect(output).toContain('verified: sent = accepted, one to one; no address twice');
  expect(output).toMatch(/1500 recipients in .* each accounted for/);
  expect(output).toMatch(/sent +1\d{3}/);
  expect(output).toMatch(/suppressed +6/);
  expect(output).toMatch(/bounced +\d+/);
  expect(code).toBe(0);
});

test('the demo says how to use it when it is used wrongly', async () => {
  const { code, output } = await runDemo(['--recipients', 'many']);
  expect(code).toBe(2);
  expect(output).toContain('usage: npm run demo');
});

function runDemo(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['dist/scripts/demo.js', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (data: Buffer) => {
    output += data.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, output })));
}
