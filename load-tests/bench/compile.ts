/**
 * What compiling a message costs, once per version of a campaign's message and process. Run after `npm run build`:
 *
 *   node dist/load-tests/bench/compile.js [--quick]
 */
import { compileSample, sampleMails } from './sample-message.ts';
import { isQuick, measure } from './stopwatch.ts';

const count = isQuick ? 20 : 100;
for (const [name, html] of sampleMails)
  await measure(`compile, ${name} (${html.length} B of HTML)`, () => compileSample(html), { count });
