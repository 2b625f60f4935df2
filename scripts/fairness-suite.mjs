import './node-version.mjs';
import { runChild } from './run-child.mjs';
import { ensureBuilt, ensureDependencies } from './setup.mjs';

/** `npm run test:fairness -- [options]`: sets up, builds, and runs the fairness suite, which starts servers of its own. */
await ensureDependencies();
await ensureBuilt();
const { code } = await runChild('node', ['dist/src/testing/fairness/main.js', ...process.argv.slice(2)], {});
process.exitCode = code;
