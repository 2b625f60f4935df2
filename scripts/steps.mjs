import { runChild } from './run-child.mjs';
import { repoRoot } from './services/layout.mjs';

/** @typedef {{ name: string, command: string[], env?: NodeJS.ProcessEnv }} Step a Node program of node_modules with its arguments */

/**
 * Runs every step, whatever becomes of the others, unless somebody interrupts.
 * @param {Step[]} steps
 * @returns {Promise<string[]>} the names of those that failed
 */
export async function runSteps(steps) {
  const failed = [];
  for (const { name, command, env = process.env } of steps) {
    console.log(`\n> ${name}`);
    const start = performance.now();
    const { code, isInterrupted } = await runChild(process.execPath, command, { cwd: repoRoot, env });
    if (isInterrupted) throw new Error('interrupted');
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'ok' : 'FAILED'}: ${name} (${seconds} s)`);
    if (code !== 0) failed.push(name);
  }
  return failed;
}
