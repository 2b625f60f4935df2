import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openInstance, sweepKilledRuns } from './instance.mjs';
import { identify, isRunning } from './process-identity.mjs';

/** @type {string} */
let parent;
/** @type {import('node:child_process').ChildProcess[]} */
let children = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sluice-test-'));
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(parent, { recursive: true, force: true });
});

function startServer() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  children.push(child);
  return { pid: /** @type {number} */ (child.pid), child };
}

const unstoppable = { stop: async () => {}, killNow: () => {} };

/** An instance whose owner is a process that has ended. */
async function instanceOfDeadOwner() {
  const { pid, child } = startServer();
  const identity = identify(pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const own = openInstance('dead', parent);
  const folder = join(parent, `dead@${identity}`);
  renameSync(own.folder, folder);
  own.folder = folder;
  return own;
}

test('a killed run leaves its servers and data to the next, which ends and removes them', async () => {
  const instance = await instanceOfDeadOwner();
  const { pid } = startServer();
  instance.addProcess('mysql', pid, unstoppable);
  instance.emptyFolder('mysql');

  /** @type {string[]} */
  const lines = [];
  await sweepKilledRuns((line) => lines.push(line), parent);

  expect(identify(pid)).toBeUndefined();
  expect(readdirSync(parent)).toEqual([]);
  expect(lines).toEqual([expect.stringContaining('cleaned up after a run that was killed: dead@')]);
});

test('a run that is alive keeps its servers and data', async () => {
  const instance = openInstance('alive', parent);
  const { pid } = startServer();
  instance.addProcess('redis', pid, unstoppable);

  await sweepKilledRuns(() => {}, parent);

  expect(identify(pid)).toBeDefined();
  expect(existsSync(instance.folder)).toBe(true);
});

test("a process that got a dead server's pid is not ended", async () => {
  const instance = await instanceOfDeadOwner();
  const { pid } = startServer();
  instance.addProcess('mysql', pid, unstoppable);
  writeFileSync(join(instance.folder, 'mysql.process'), `${pid}-1`);

  await sweepKilledRuns(() => {}, parent);

  expect(identify(pid)).toBeDefined();
  expect(isRunning(`${pid}-1`)).toBe(false);
});

test('a socket below a deep folder gets a short path, which goes with the instance', async () => {
  const deep = join(parent, 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(deep, { recursive: true });
  const instance = openInstance('deep', deep);

  const path = instance.socketPath('mysql.sock');
  expect(Buffer.byteLength(path)).toBeLessThan(100);
  expect(existsSync(join(path, '..'))).toBe(true);

  await instance.close();
  expect(existsSync(join(path, '..'))).toBe(false);
});
