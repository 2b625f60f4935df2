import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { repoRoot } from './services/layout.mjs';

/**
 * @typedef {{ version?: string, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {(line: string) => void} Log
 */

const INSTALLED_LOCK = join(repoRoot, 'node_modules/.package-lock.json');

/** Brings node_modules to what package-lock.json says. Does nothing when it is there. @param {Log} [log] */
export function ensureDependencies(log = console.error) {
  return withLock('setup', () => {
    if (isInstalled()) return;
    log('installing the dependencies (npm ci)');
    npm('ci', '--no-audit', '--no-fund');
  });
}

/** Compiles what changed into dist/. */
export function ensureBuilt() {
  return withLock('setup', () => npm('run', '--silent', 'build'));
}

/** npm's record of what it installed is written last: an install that was cut short has none. */
function isInstalled() {
  if (!existsSync(INSTALLED_LOCK)) return false;
  const installed = lockedPackages(INSTALLED_LOCK);
  return Object.entries(lockedPackages(join(repoRoot, 'package-lock.json'))).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === wanted.version : wanted.optional === true;
  });
}

/** @param {string} file @returns {Record<string, LockedPackage>} */
function lockedPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** Its output goes to standard error: standard output belongs to the command that is set up. @param {string[]} args */
function npm(...args) {
  const { status, error } = spawnSync('npm', args, { cwd: repoRoot, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}
