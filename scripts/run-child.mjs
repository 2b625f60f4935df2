import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const STOP_TIMEOUT_MS = 60_000;
const SAME_PRESS_MS = 500;

/**
 * Runs a command with our terminal and standard output. A signal that asks us to stop is passed on to it, and
 * it has a minute to end.
 * @param {string} program
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number, isInterrupted: boolean }>} its exit code, 128 + the signal that ended it
 */
export function runChild(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      const isInterrupted = stopForwarding();
      resolve({ code: signal ? 128 + constants.signals[signal] : (code ?? 1), isInterrupted });
    });
  });
}

/**
 * Ctrl-C reaches the command from the terminal itself, and npm passes a signal on to us that the terminal has
 * sent us already: so it is forwarded only without a terminal, and once for one press.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => boolean} ends it, and tells whether there was a signal
 */
function forwardSignals(child) {
  const signals = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  let lastAt = Number.NEGATIVE_INFINITY;
  /** @type {NodeJS.Timeout | undefined} */
  let deadline;
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    deadline ??= setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const isRepeated = performance.now() - lastAt < SAME_PRESS_MS;
    lastAt = performance.now();
    if (isRepeated || (signal === 'SIGINT' && process.stdin.isTTY)) return;
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return () => {
    clearTimeout(deadline);
    for (const signal of signals) process.off(signal, forward);
    return deadline !== undefined;
  };
}
