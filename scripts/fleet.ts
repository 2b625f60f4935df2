/**
 * A fleet on one machine that grows and shrinks as the scaling signal says: every part of the pipeline as a process of its own.
 *
 *   npm run fleet -- [--min 1] [--max 4]
 *
 * It reads the numbers that any autoscaler reads, from `GET /v1/platform/scaling`. If we die here, our processes see that within a second and stop as
 * by SIGTERM; if whoever started us dies, so do we.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { findFreePort } from './demo/children.ts';
import { waitUntilReady } from './demo/wait-until-ready.ts';
import { type FleetArguments, readArguments, usage } from './fleet/arguments.ts';
import { createFleetProcesses, type FleetProcesses } from './fleet/fleet-processes.ts';
import { followSignal } from './fleet/follow-signal.ts';
import { readDesired } from './fleet/read-desired.ts';
import { watchParent } from './fleet/watch-parent.ts';

const say = (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const ending = new AbortController();

const args = readArguments(process.argv.slice(2), process.env);
if ('error' in args) {
  process.stderr.write(`${args.error}\n\n${usage}\n`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
watchParent(() => ending.abort());
// Nobody reads what we print any more: our end is on its way by other means.
process.stdout.on('error', () => ending.abort());
process.exit(await runFleet(args));

async function runFleet(options: FleetArguments): Promise<number> {
  const port = Number(process.env.HTTP_PORT) || (await findFreePort());
  const adminToken = process.env.ADMIN_TOKEN ?? randomBytes(24).toString('base64url');
  const logFolder = resolve('.sluice', `fleet-${process.pid}`);
  mkdirSync(logFolder, { recursive: true });
  const fleet = createFleetProcesses({
    logFolder,
    env: environmentOf(options, port, adminToken),
    onDeath: (name, code) => say(`${name} ended with ${code}: see ${logFolder}/${name}.log`),
  });
  try {
    await start(fleet, `http://127.0.0.1:${port}`);
    const token = process.env.ADMIN_TOKEN ? 'as given' : adminToken;
    say(`fleet up: API http://127.0.0.1:${port}, admin token ${token}, logs in ${logFolder}`);
    const read = () => readDesired(`http://127.0.0.1:${port}`, adminToken);
    await followSignal({ fleet, read, say, ...options, signal: ending.signal });
    return 0;
  } catch (error) {
    if (ending.signal.aborted) return 0;
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    say('stopping all');
    await fleet.stopAll();
  }
}

/** One of each; the workers follow by themselves. */
async function start(fleet: FleetProcesses, baseUrl: string): Promise<void> {
  await fleet.migrate();
  for (const role of ['api', 'scheduler', 'dispatcher', 'feedback'] as const) fleet.start(role);
  await waitUntilReady(baseUrl, ending.signal);
}

function environmentOf({ min, max }: FleetArguments, port: number, adminToken: string): NodeJS.ProcessEnv {
  return {
    SECRET_KEY: randomBytes(32).toString('base64'),
    ...process.env,
    ...{ ADMIN_TOKEN: adminToken, HTTP_PORT: String(port), HEALTH_PORT: '0' },
    ...{ SCALE_RENDER_MIN: String(min), SCALE_RENDER_MAX: String(max) },
    ...{ SCALE_SEND_MIN: String(min), SCALE_SEND_MAX: String(max) },
  };
}
