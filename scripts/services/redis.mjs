import { randomBytes } from 'node:crypto';
import { pingRedis } from './probe.mjs';
import { run } from './run-command.mjs';
import { ServerProcess, startOnFreePort } from './server-process.mjs';

/**
 * @typedef {import('./instance.mjs').Instance} Instance
 * @typedef {import('./mysql.mjs').Program} Program
 * @typedef {import('./mysql.mjs').RunningService} RunningService
 */

const OLDEST = [6, 2];
const READY_TIMEOUT_MS = 20_000;

/**
 * Starts a private Redis or Valkey on a free loopback port.
 * @param {Program} program
 * @param {Instance} instance
 * @returns {Promise<RunningService>}
 */
export async function startRedis(program, instance) {
  const { product, version } = await readEdition(program);
  const password = randomBytes(18).toString('hex');
  const folder = instance.emptyFolder('redis');
  const { binary, env } = program;
  const port = await startOnFreePort({
    // The configuration goes in by standard input: the password is not seen in the process list.
    launch: (port) =>
      new ServerProcess('redis', instance, {
        binary,
        args: ['-'],
        env,
        input: configuration(folder, port, password),
      }),
    probe: (_server, port) => pingRedis({ host: '127.0.0.1', port }, { password }),
    timeoutMs: READY_TIMEOUT_MS,
  });
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    description: `${product} ${version} (${binary})`,
  };
}

/** @param {Program} program */
async function readEdition({ binary, env }) {
  const banner = await run(binary, ['--version'], { env });
  const match = /^(\w+) server v=((\d+)\.(\d+)\.\d+)/.exec(banner);
  if (!match) throw new Error(`${binary} does not tell its version: ${banner.trim()}`);
  const [, product, version, major, minor] = match;
  const [oldestMajor, oldestMinor] = /** @type {[number, number]} */ (OLDEST);
  if (Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor)) {
    throw new Error(`${binary} is ${version}, and at least ${OLDEST.join('.')} is needed`);
  }
  return { product, version };
}

/** @param {string} folder @param {number} port @param {string} password */
function configuration(folder, port, password) {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir "${folder}"`,
    'save ""',
    'appendonly no',
    'maxmemory 512mb',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}
