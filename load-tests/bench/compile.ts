/**
 * What compiling a message costs, once per version of a campaign's message and process. Run after `npm run build`:
 *
 *   node dist/load-tests/bench/compile.js [--quick]
 */
import { benchHtml } from './bench-message.ts';
import { compileSample, sampleHtml } from './sample-message.ts';
import { isQuick, measure } from './stopwatch.ts';

const count = isQuick ? 20 : 100;
await measure(`28 KB with 57 outputs (${sampleHtml.length} B of HTML)`, () => compileSample(), { count });
await measure('10 KB campaign mail', () => compileSample(benchHtml(10)), { count });
await measure('40 KB campaign mail', () => compileSample(benchHtml(40)), { count });
