import './node-version.mjs';
import { runChild } from './run-child.mjs';
import { startServices } from './services.mjs';
import { ensureBuilt, ensureDependencies } from './setup.mjs';

/**
 * node scripts/with-services.mjs [--no-build] -- COMMAND ARGS...
 *
 * Sets up, starts MySQL and Redis, runs the command with DATABASE_URL and REDIS_URL in its environment, stops
 * what it started and exits as the command did. SLUICE_TEMPORARY_DATABASE tells the command that its database ends with it.
 */
const USAGE = 'usage: node scripts/with-services.mjs [--no-build] -- COMMAND ARGS...';

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
    const [program, ...programArgs] = /** @type {[string, ...string[]]} */ (command);
    const urls = { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl };
    const temporary = process.env.DATABASE_URL ? {} : { SLUICE_TEMPORARY_DATABASE: '1' };
    const { code } = await runChild(program, programArgs, { env: { ...process.env, ...urls, ...temporary } });
    process.exitCode = code;
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
