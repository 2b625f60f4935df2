import './node-version.mjs';
import { findK6 } from './k6/find-k6.mjs';
import { runChild } from './run-child.mjs';
import { startServices } from './services.mjs';
import { ensureBuilt, ensureDependencies } from './setup.mjs';

/**
 * `npm run k6 -- SCENARIO [options]`: finds or installs k6, sets up, starts MySQL and Redis unless the run is against an installation that is there (`--url`),
 * and hands over to `k6-run.ts`. `npm run k6 -- --install` does no more than the first.
 */
await main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

/** @param {string[]} args */
async function main(args) {
  if (args[0] === '--install') return console.log(await findK6());
  await ensureDependencies();
  await ensureBuilt();
  if (args.length === 0 || args.includes('--help')) return runWith({}, args);
  const LOAD_K6 = await findK6();
  if (args.some((arg) => /^--url(=|$)/.test(arg))) return runWith({ LOAD_K6 }, args);
  const services = await startServices({ instanceName: 'k6' });
  console.error(`services: ${services.describe}`);
  try {
    await runWith({ LOAD_K6, DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl }, args);
  } finally {
    await services.stop();
  }
}

/** @param {NodeJS.ProcessEnv} own @param {string[]} args */
async function runWith(own, args) {
  const env = { ...process.env, ...own };
  const { code } = await runChild(process.execPath, ['dist/scripts/k6-run.js', ...args], { env });
  process.exitCode = code;
}
