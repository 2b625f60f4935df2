import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateFolder } from './services/layout.mjs';
import { identify, isRunning } from './services/process-identity.mjs';

const WAIT_MS = 600_000;

/**
 * Runs work while no other process of this checkout runs any under that name. The lock of a process that died
 * counts for nothing.
 * @template T
 * @param {string} name
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(name, work) {
  const path = join(stateFolder, `${name}.lock`);
  await take(path);
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
async function take(path) {
  const deadline = performance.now() + WAIT_MS;
  while (!tryToTake(path)) {
    if (!isRunning(ownerOf(path))) rmSync(path, { force: true });
    else if (performance.now() > deadline) throw new Error(`another run holds ${path}`);
    else await sleep(100);
  }
}

/** A link appears with its content, which a new file does not. @param {string} path */
function tryToTake(path) {
  const mine = `${path}.${process.pid}`;
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(mine, identify(process.pid) ?? '');
  try {
    linkSync(mine, path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(mine);
  }
}

/** @param {string} path */
function ownerOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
