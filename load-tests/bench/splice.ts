/**
 * What the send worker does to a message before the socket: decoding, splicing, lines as DATA wants them. Run after `npm run build`:
 *
 *   node dist/load-tests/bench/splice.js [--quick]
 */
import { decodeRendered, encodeRendered } from '../../src/render/payload.ts';
import { messageBuffers, wireBuffers } from '../../src/render/splice.ts';
import { compileSample, renderSample, sampleMails } from './sample-message.ts';
import { isQuick, measure } from './stopwatch.ts';

const count = isQuick ? 20_000 : 100_000;
for (const [name, html] of sampleMails) {
  const template = compileSample(html);
  const grant = Array.from({ length: 500 }, (_, seq) => renderSample(template, seq));
  const payload = encodeRendered(template.message.digest, grant);
  const messageAt = (n: number) => grant[n % 500] as (typeof grant)[number];
  await measure(`decode, ${name}`, () => decodeAll(payload), { count: count / 500, items: 500 });
  await measure(`splice, ${name}`, (n) => messageBuffers(template.message, messageAt(n)), { count });
  await measure(`splice into lines of DATA, ${name}`, (n) => wireBuffers(template.message, messageAt(n)), {
    count,
  });
}

function decodeAll(payload: Buffer): void {
  const { messages } = decodeRendered(payload);
  for (let n = 0; n < messages.length; n++) messages.at(n);
}
