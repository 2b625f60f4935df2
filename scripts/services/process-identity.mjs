import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Pids are reused, a pid with its start time is not: `<pid>-<start>` names one process for good. Only a
 * process whose identity we wrote down at its start is ever ended.
 * @typedef {string} ProcessIdentity
 */

/** @param {number} pid @returns {ProcessIdentity | undefined} nothing when no such process runs */
export function identify(pid) {
  const start = process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
  return start === undefined ? undefined : `${pid}-${start}`;
}

/** @param {ProcessIdentity} identity */
export function isRunning(identity) {
  const pid = pidOf(identity);
  return pid !== undefined && identify(pid) === identity;
}

/** @param {ProcessIdentity} identity @returns {Promise<boolean>} whether it is gone within five seconds */
export async function kill(identity) {
  const pid = pidOf(identity);
  for (let tries = 0; tries < 100 && isRunning(identity); tries += 1) {
    if (tries === 0) process.kill(/** @type {number} */ (pid), 'SIGKILL');
    await sleep(50);
  }
  return !isRunning(identity);
}

/** @param {ProcessIdentity} identity */
function pidOf(identity) {
  const match = /^(\d+)-\d+$/.exec(identity);
  return match ? Number(match[1]) : undefined;
}

/** proc(5): field 22 of stat; the name in field 2 may hold spaces and parentheses. @param {number} pid */
function startFromProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function startFromPs(pid) {
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return String(Date.parse(started.trim()) / 1000);
  } catch {
    return undefined;
  }
}
