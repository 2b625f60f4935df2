import { spawn } from 'node:child_process';

/**
 * Runs a command to its end and returns its standard output; throws with the tail of its output when it
 * fails or takes too long.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string, timeoutMs?: number }} [options]
 * @returns {Promise<string>}
 */
export function run(command, args, { cwd, env = process.env, input = '', timeoutMs = 120_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd && { cwd }),
      env,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let all = '';
    child.stdout.on('data', (data) => {
      output += data;
      all += data;
    });
    child.stderr.on('data', (data) => {
      all += data;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const how = signal ? `was ended by ${signal}` : `exited with ${code}`;
      reject(new Error(`${command} ${args[0] ?? ''} ${how}\n${tail(all)}`));
    });
    // A command that fails at once leaves its input unread: its exit code tells, not the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** @param {string} text @param {number} [lines] */
export function tail(text, lines = 15) {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
