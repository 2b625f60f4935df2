import { join } from 'node:path';
import { repoRoot } from './layout.mjs';
import { run } from './run-command.mjs';

const COMPOSE_FILE = join(repoRoot, 'deploy/compose.services.yaml');
const PULL_TIMEOUT_MS = 600_000;

/**
 * @param {string} project
 * @param {string} service
 * @param {NodeJS.ProcessEnv} env
 */
export function startProject(project, service, env) {
  const args = ['compose', '-f', COMPOSE_FILE, '-p', project, 'up', '-d', '--wait', service];
  return run('docker', args, { env: { ...process.env, ...env }, timeoutMs: PULL_TIMEOUT_MS });
}

/** @param {string} project */
export function endProject(project) {
  return run('docker', ['compose', '-f', COMPOSE_FILE, '-p', project, 'down', '-v', '-t', '5']);
}
