import './node-version.mjs';
import { runChild } from './run-child.mjs';
import { ensureBuilt, ensureDependencies } from './setup.mjs';

/** `npm run test:faults -- [options]`: sets up, builds, and runs the fault suite, which starts servers of its own. */
await ensureDependencies();
await ensureBuilt();
const { code } = await runChild('node', ['dist/src/testing/faults/main.js', ...process.argv.slice(2)], {});
process.exitCode = code;
