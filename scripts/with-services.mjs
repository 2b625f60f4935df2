import './node-version.mjs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { startServices } from './services.mjs';
import { ensureBuilt, ensureDependencies } from './setup.mjs';

/**
 * node scripts/with-services.mjs [--no-build] -- COMMAND ARGS...
 *
 * Sets up, starts MySQL and Redis, runs the command with DATABASE_URL and REDIS_URL in its environment, stops
 * what it started and exits as the command did.
 */
const USAGE = 'usage: node scripts/with-services.mjs [--no-build] -- COMMAND ARGS...';

const STOP_TIMEOUT_MS = 60_000;
const SAME_SIGNAL_MS = 500;

await main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

/** @param {string[]} args */
async function main(args) {
  const { command, isBuilding } = parse(args);
  await ensureDependencies();
  if (isBuilding) await ensureBuilt();
  const services = await startServices({ instanceName: 'command' });
  console.error(`services: ${services.describe}`);
  try {
    const urls = { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl };
    process.exitCode = await runCommand(command, { ...process.env, ...urls });
  } finally {
    await services.stop();
  }
}

/** @param {string[]} args */
function parse(args) {
  const separator = args.indexOf('--');
  const options = args.slice(0, separator);
  const command = args.slice(separator + 1);
  if (separator < 0 || command.length === 0 || options.some((option) => option !== '--no-build')) {
    throw new Error(USAGE);
  }
  return { command, isBuilding: options.length === 0 };
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} its exit code
 */
function runCommand([program, ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(/** @type {string} */ (program), args, { env, stdio: 'inherit' });
    const stopForwarding = forwardSignals(child);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(signal ? 128 + constants.signals[signal] : (code ?? 1));
    });
  });
}

/**
 * Ctrl-C reaches the command from the terminal itself, and npm passes a signal on to us that the terminal has
 * sent us already: so it is forwarded only without a terminal, and once for one press.
 * @param {import('node:child_process').ChildProcess} child
 */
function forwardSignals(child) {
  const signals = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  let lastAt = Number.NEGATIVE_INFINITY;
  /** @type {NodeJS.Timeout | undefined} */
  let deadline;
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    deadline ??= setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const isRepeated = performance.now() - lastAt < SAME_SIGNAL_MS;
    lastAt = performance.now();
    if (isRepeated || (signal === 'SIGINT' && process.stdin.isTTY)) return;
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return () => {
    clearTimeout(deadline);
    for (const signal of signals) process.off(signal, forward);
  };
}
