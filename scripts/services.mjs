import { constants } from 'node:os';
import { adviceOnMissing } from './services/advice.mjs';
import { installPackages } from './services/apt.mjs';
import { extractProgram } from './services/apt-extract.mjs';
import { startInDocker } from './services/compose.mjs';
import { useExternal } from './services/external.mjs';
import { openInstance, sweepKilledRuns } from './services/instance.mjs';
import { startMysql } from './services/mysql.mjs';
import { findIn, serverFolders } from './services/programs.mjs';
import { startRedis } from './services/redis.mjs';

/**
 * MySQL and Redis for the demo, the tests and development, with nothing installed beforehand. Each is looked
 * for on its own: the URL in the environment; else a private copy, gone at the end, of what is on PATH; of
 * Debian's packages unpacked into a cache; of what apt-get installs (root); in Docker.
 * `SLUICE_SERVICES=path|extract|install|docker` allows one way only.
 *
 * @typedef {import('./services/instance.mjs').Instance} Instance
 * @typedef {import('./services/mysql.mjs').RunningService} RunningService
 * @typedef {(line: string) => void} Log
 * @typedef {(kind: Kind, instance: Instance, log: Log) => Promise<RunningService>} Way
 *
 * @typedef {object} Kind
 * @property {'mysql' | 'redis'} name
 * @property {string} title
 * @property {string} variable
 * @property {string[]} programs
 * @property {string[][]} packageSets
 * @property {(program: import('./services/mysql.mjs').Program, instance: Instance) => Promise<RunningService>} start
 *
 * @typedef {{ databaseUrl: string, redisUrl: string, describe: string, stop(): Promise<void> }} Services
 */

const STOP_SIGNALS = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** @type {Kind} */
const MYSQL = {
  name: 'mysql',
  title: 'MySQL or MariaDB',
  variable: 'DATABASE_URL',
  programs: ['mariadbd', 'mysqld'],
  packageSets: [['mariadb-server-core'], ['mariadb-server-core-10.6'], ['mysql-server-core-8.0']],
  start: startMysql,
};

/** @type {Kind} */
const REDIS = {
  name: 'redis',
  title: 'Redis',
  variable: 'REDIS_URL',
  programs: ['redis-server', 'valkey-server'],
  packageSets: [['redis-server', 'redis-tools']],
  start: startRedis,
};

/** @type {Record<string, Way>} */
const WAYS = {
  path: async (kind, instance) => startFromPath(kind, instance),
  extract: async (kind, instance, log) => kind.start(await extractProgram({ ...kind, log }), instance),
  install: async (kind, instance, log) => {
    if (programOnPath(kind)) throw new Error('it is installed already');
    log(`installing ${kind.title} with apt-get`);
    await installPackages(kind.packageSets);
    return startFromPath(kind, instance);
  },
  docker: (kind, instance, log) => startInDocker(kind.name, instance, log),
};

/**
 * Starts both, or rejects with one message that says what to install. What it started is stopped by `stop()`
 * (bounded, may be called twice), and at the latest when this process ends: on exit, an uncaught error, or a
 * signal that nobody else here listens to. What a SIGKILL leaves behind, the next call cleans.
 * @param {{ log?: Log, instanceName?: string }} [options]
 * @returns {Promise<Services>}
 */
export async function startServices({ log = console.error, instanceName = 'run' } = {}) {
  await sweepKilledRuns(log);
  const instance = openInstance(instanceName);
  const stop = stopAtTheLatestOnExit(instance);
  try {
    const mysql = await start(MYSQL, instance, log);
    const redis = await start(REDIS, instance, log);
    const describe = `${mysql.description}, ${redis.description}`;
    return { databaseUrl: mysql.url, redisUrl: redis.url, describe, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param {Instance} instance @returns {() => Promise<void>} */
function stopAtTheLatestOnExit(instance) {
  /** @type {Promise<void> | undefined} */
  let stopping;
  const stop = () => {
    stopping ??= instance.close().finally(forget);
    return stopping;
  };
  const closeNow = () => instance.closeNow();
  const onSignal = async (/** @type {NodeJS.Signals} */ signal) => {
    if (process.listenerCount(signal) > 1) return;
    await stop();
    process.exit(128 + constants.signals[signal]);
  };
  const forget = () => {
    process.off('exit', closeNow);
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  };
  process.on('exit', closeNow);
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return stop;
}

/** @param {Kind} kind @param {Instance} instance @param {Log} log @returns {Promise<RunningService>} */
async function start(kind, instance, log) {
  const url = process.env[kind.variable];
  if (url) return useExternal(kind.variable, url, kind.name);
  const reasons = [];
  for (const way of allowedWays()) {
    try {
      return await /** @type {Way} */ (WAYS[way])(kind, instance, log);
    } catch (error) {
      if (instance.isClosed) throw error;
      const reason = `${way}: ${/** @type {Error} */ (error).message}`;
      log(`${kind.title}: ${reason.split('\n')[0]}`);
      reasons.push(reason);
    }
  }
  throw new Error(adviceOnMissing(kind.title, reasons));
}

function allowedWays() {
  const only = process.env.SLUICE_SERVICES;
  if (!only) return Object.keys(WAYS);
  if (!(only in WAYS))
    throw new Error(`SLUICE_SERVICES is one of ${Object.keys(WAYS).join(', ')}, not ${only}`);
  return [only];
}

/** @param {Kind} kind */
function programOnPath(kind) {
  return findIn(serverFolders(), kind.programs);
}

/** @param {Kind} kind @param {Instance} instance */
function startFromPath(kind, instance) {
  const binary = programOnPath(kind);
  if (!binary) throw new Error(`no ${kind.programs.join(' or ')} found`);
  return kind.start({ binary, env: process.env }, instance);
}
