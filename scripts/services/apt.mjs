import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptCacheFolder } from './layout.mjs';
import { run } from './run-command.mjs';

const DOWNLOAD_TIMEOUT_MS = 300_000;
const POLICY = '/usr/sbin/policy-rc.d';

const isRoot = process.getuid?.() === 0;

/**
 * Who is not root can neither lock nor fill apt's own folders, and gets package lists of his own once the
 * system's did not do.
 */
const privateLists = join(aptCacheFolder, 'lists');

/** @param {string[]} args @param {{ cwd?: string }} [options] */
export function runApt(args, { cwd } = {}) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  return run('apt-get', [...stateOptions(), '-q', ...args], {
    ...(cwd && { cwd }),
    env,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
}

/**
 * @param {string[][]} packageSets alternatives; the first that apt can install is taken
 * @returns {Promise<{ packages: string[], toInstall: string[] }>} toInstall: what is missing here, with all dependencies
 */
export async function planInstall(packageSets) {
  for (const packages of packageSets) {
    try {
      const plan = await runApt(['install', '--simulate', '--no-install-recommends', ...packages]);
      const toInstall = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => /** @type {string} */ (match[1]));
      return { packages, toInstall };
    } catch {
      // Not in this release's lists: the next one may be.
    }
  }
  throw new Error(`apt offers none of ${packageSets.map((packages) => packages.join(' + ')).join(', ')}`);
}

/** @param {(line: string) => void} log */
export async function updateLists(log) {
  log('fetching the package lists (apt-get update)');
  if (!isRoot) mkdirSync(join(privateLists, 'partial'), { recursive: true });
  try {
    await runApt(['update']);
  } catch (error) {
    // One broken third-party source, or a clean-up hook that needs root: what was fetched may do.
    log(`apt-get update: ${/** @type {Error} */ (error).message.split('\n').at(-1)}`);
  }
}

/** Installs for the whole system, as root, and keeps Debian from starting what it installs. @param {string[][]} packageSets */
export async function installPackages(packageSets) {
  if (!isRoot) throw new Error('apt-get install needs root');
  const { packages } = await planInstall(packageSets);
  const isPolicyOurs = !existsSync(POLICY);
  if (isPolicyOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await runApt(['install', '-y', '--no-install-recommends', ...packages]);
  } finally {
    if (isPolicyOurs) rmSync(POLICY, { force: true });
  }
}

function stateOptions() {
  if (isRoot || !existsSync(privateLists)) return [];
  return [
    '-o',
    `Dir::State::lists=${privateLists}`,
    '-o',
    `Dir::Cache=${aptCacheFolder}`,
    '-o',
    'Debug::NoLocking=1',
  ];
}
