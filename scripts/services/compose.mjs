import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { endProject, startProject } from './compose-project.mjs';
import { freePort } from './probe.mjs';
import { run } from './run-command.mjs';

/**
 * One service of deploy/compose.services.yaml as a project of its own, on a free port and with its own password.
 * @param {'mysql' | 'redis'} service
 * @param {import('./instance.mjs').Instance} instance
 * @param {(line: string) => void} log
 * @returns {Promise<import('./mysql.mjs').RunningService>}
 */
export async function startInDocker(service, instance, log) {
  await run('docker', ['compose', 'version'], { timeoutMs: 10_000 });
  await run('docker', ['info'], { timeoutMs: 10_000 });
  const port = await freePort();
  const password = randomBytes(18).toString('hex');
  const project = `sluice-${service}-${process.pid}-${port}`;
  instance.addComposeProject(project, {
    stop: async () => void (await endProject(project)),
    killNow: () => void spawnSync('docker', ['compose', '-p', project, 'kill'], { timeout: 5_000 }),
  });
  log(`starting ${service} with docker compose (the first time it pulls the image)`);
  await startProject(project, service, {
    [`${service.toUpperCase()}_PORT`]: String(port),
    [`${service.toUpperCase()}_PASSWORD`]: password,
  });
  return { url: urlOf(service, port, password), description: `${service} in docker` };
}

/** @param {'mysql' | 'redis'} service @param {number} port @param {string} password */
function urlOf(service, port, password) {
  return service === 'mysql'
    ? `mysql://root:${password}@127.0.0.1:${port}/sluice`
    : `redis://:${password}@127.0.0.1:${port}`;
}
