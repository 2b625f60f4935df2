import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../lock.mjs';
import { planInstall, runApt, updateLists } from './apt.mjs';
import { aptCacheFolder } from './layout.mjs';
import { findIn, serverFolders } from './programs.mjs';
import { run } from './run-command.mjs';

/**
 * Debian's and Ubuntu's server packages, unpacked into a cache folder of the checkout and run from there:
 * needs no root and installs nothing.
 *
 * @param {object} wanted
 * @param {string} wanted.name of the cache's folder
 * @param {string[]} wanted.programs
 * @param {string[][]} wanted.packageSets alternatives; the first that apt knows is taken
 * @param {(line: string) => void} wanted.log
 * @returns {Promise<import('./mysql.mjs').Program>}
 */
export async function extractProgram({ name, programs, packageSets, log }) {
  const cache = join(aptCacheFolder, `${distribution()}-${process.arch}`, name);
  if (!existsSync(cache)) await withLock('apt', () => fillCache(cache, packageSets, log));
  const binary = findIn([`${cache}/usr/sbin`, `${cache}/usr/bin`], programs);
  if (!binary) throw new Error(`the packages unpacked in ${cache} hold no ${programs.join(' or ')}`);
  const env = { ...process.env, LD_LIBRARY_PATH: libraryFolders(cache).join(':') };
  await assertLibrariesComplete(binary, env, cache);
  return { binary, env };
}

/** @param {string} cache @param {string[][]} packageSets @param {(line: string) => void} log */
async function fillCache(cache, packageSets, log) {
  if (existsSync(cache)) return;
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (!findIn(serverFolders(), [tool])) throw new Error(`only for Debian and Ubuntu: no ${tool} found`);
  }
  // Filled aside and renamed: a cache that exists is complete.
  const aside = `${cache}.${process.pid}`;
  const debs = join(aside, 'debs');
  try {
    await downloadWithFreshLists(debs, packageSets, log);
    for (const deb of readdirSync(debs)) await run('dpkg-deb', ['-x', join(debs, deb), aside]);
    rmSync(debs, { recursive: true });
    renameSync(aside, cache);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/**
 * Package lists may be missing, as in container images, or name versions that are gone: then they are fetched.
 * @param {string} folder @param {string[][]} packageSets @param {(line: string) => void} log
 */
async function downloadWithFreshLists(folder, packageSets, log) {
  try {
    await download(folder, packageSets, log);
  } catch {
    await updateLists(log);
    await download(folder, packageSets, log);
  }
}

/** @param {string} folder @param {string[][]} packageSets @param {(line: string) => void} log */
async function download(folder, packageSets, log) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packages = await choosePackages(packageSets);
  log(`downloading ${packages.join(' ')} into .sluice/cache (once; nothing is installed)`);
  await runApt(['download', ...packages], { cwd: folder });
}

/** The packages themselves and the libraries that this machine lacks. @param {string[][]} packageSets */
async function choosePackages(packageSets) {
  const { packages, toInstall } = await planInstall(packageSets);
  return [...new Set([...packages, ...toInstall.filter(isPlainLibrary)])];
}

/** The C library must be the one of the system's loader, and no server needs Perl to run. @param {string} name */
function isPlainLibrary(name) {
  return name.startsWith('lib') && !/^libc6|^libc-|perl/.test(name);
}

/** @param {string} cache */
function libraryFolders(cache) {
  const bases = [`${cache}/usr/lib`, `${cache}/lib`].filter((folder) => existsSync(folder));
  return bases.flatMap((base) => {
    const triplets = readdirSync(base).filter((entry) => entry.includes('-linux-gnu'));
    return [base, ...triplets.map((triplet) => join(base, triplet))];
  });
}

/** @param {string} binary @param {NodeJS.ProcessEnv} env @param {string} cache */
async function assertLibrariesComplete(binary, env, cache) {
  const missing = [...(await run('ldd', [binary], { env })).matchAll(/(\S+) => not found/g)];
  if (missing.length > 0) {
    const names = missing.map((match) => match[1]).join(', ');
    throw new Error(`${binary} lacks ${names} (without the folder ${cache} it is fetched anew)`);
  }
}

function distribution() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const field = (/** @type {string} */ key) =>
    new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? '';
  return `${field('ID')}-${field('VERSION_ID') || field('VERSION_CODENAME')}`;
}
