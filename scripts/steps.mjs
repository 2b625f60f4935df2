import { spawn } from 'node:child_process';
import { repoRoot } from './services/layout.mjs';

/** @typedef {{ name: string, command: string[], env?: NodeJS.ProcessEnv }} Step a Node program of node_modules with its arguments */

/**
 * Runs every step, whatever becomes of the others.
 * @param {Step[]} steps
 * @returns {Promise<string[]>} the names of those that failed
 */
export async function runSteps(steps) {
  const failed = [];
  for (const step of steps) {
    console.log(`\n> ${step.name}`);
    const start = performance.now();
    const isGood = await runStep(step);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${isGood ? 'ok' : 'FAILED'}: ${step.name} (${seconds} s)`);
    if (!isGood) failed.push(step.name);
  }
  return failed;
}

/** @param {Step} step @returns {Promise<boolean>} */
function runStep({ command, env = process.env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, {
      cwd: repoRoot,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}
