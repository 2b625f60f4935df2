import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { withLock } from '../lock.mjs';
import { stateFolder } from '../services/layout.mjs';
import { findIn } from '../services/programs.mjs';
import { run } from '../services/run-command.mjs';

/** The newest that the Go module proxy has, and the one that the scenarios were tried with. `@types/k6` goes with it. */
const VERSION = 'v1.8.1';
const MODULE = `go.k6.io/k6@${VERSION}`;
const CACHE = join(stateFolder, 'cache/k6', VERSION);
/** k6 reads TypeScript since 0.57. */
const OLDEST = [0, 57];
const INSTALL_TIMEOUT_MS = 1_200_000;
const GO_FOLDERS = ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin', '/snap/bin'];

/**
 * k6 on PATH when it is new enough, or the one in the cache, or one that Go installs there: minutes, once.
 * @param {(line: string) => void} [log]
 * @returns {Promise<string>} its path; throws with the ways to get it
 */
export async function findK6(log = console.error) {
  const path = (process.env.PATH ?? '').split(delimiter);
  /** @type {string[]} */
  const reasons = [];
  const found = findIn(path, ['k6']);
  if (found && (await isNewEnough(found))) return found;
  reasons.push(found ? `${found} does not answer or is older than ${OLDEST.join('.')}` : 'no k6 on PATH');
  const cached = findIn([CACHE], ['k6']);
  if (cached) return cached;
  const go = findIn([...path, ...GO_FOLDERS], ['go']);
  if (!go) throw new Error(advice([...reasons, 'no Go to install it with']));
  return withLock('k6', () => findIn([CACHE], ['k6']) ?? install(go, log)).catch((error) => {
    throw new Error(advice([...reasons, error.message]));
  });
}

/** @param {string} k6 */
async function isNewEnough(k6) {
  const text = await run(k6, ['version'], { timeoutMs: 10_000 }).catch(() => '');
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(text) ?? [];
  if (major === undefined) return false;
  return Number(major) > 0 || Number(minor) >= /** @type {number} */ (OLDEST[1]);
}

/**
 * One package at a time: it must not take the machine from what else runs there. It appears in the cache when it is whole.
 * @param {string} go @param {(line: string) => void} log
 */
async function install(go, log) {
  log(`installing k6 ${VERSION} with ${go}: some minutes, once`);
  const half = `${CACHE}.${process.pid}`;
  const env = { ...process.env, GOBIN: half, GOFLAGS: `${process.env.GOFLAGS ?? ''} -p=1`.trim() };
  try {
    await run(go, ['install', MODULE], { env, timeoutMs: INSTALL_TIMEOUT_MS });
    mkdirSync(CACHE, { recursive: true });
    renameSync(join(half, 'k6'), join(CACHE, 'k6'));
    return join(CACHE, 'k6');
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

/** @param {string[]} reasons */
function advice(reasons) {
  return `
k6 could not be found or installed:
${reasons.map((reason) => `  - ${reason.trimEnd().replaceAll('\n', '\n      ')}`).join('\n')}

Any one of these will do:
  Go               it is then installed by itself, from ${MODULE}
  macOS            brew install k6
  Debian, Fedora   Grafana's package: https://grafana.com/docs/k6/latest/set-up/install-k6/
  anything else    a release on PATH: https://github.com/grafana/k6/releases/tag/${VERSION}
`.trim();
}
