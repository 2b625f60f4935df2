/**
 * What rendering one recipient costs, and what of it crosses Redis. Run after `npm run build`:
 *
 *   node dist/load-tests/bench/render.js [--quick]
 */
import { Liquid } from 'liquidjs';
import { htmlEngine } from '../../src/render/liquid-engine.ts';
import { encodeRendered } from '../../src/render/payload.ts';
import { evaluateTemplate, parseTemplate } from '../../src/render/template.ts';
import { TextEmitter } from '../../src/render/text-emitter.ts';
import {
  compileSample,
  renderSample,
  sampleAttributes,
  sampleHtml,
  sampleMails,
  sampleRecipient,
} from './sample-message.ts';
import { isQuick, measure } from './stopwatch.ts';

const count = isQuick ? 1_500 : 10_000;
const plain = new Liquid({ outputEscape: 'escape', ownPropertyOnly: true });
const parsed = plain.parse(sampleHtml);
const values = { profile: sampleAttributes, unsubscribe_url: 'x' };
await measure('LiquidJS alone, 57 outputs, HTML part to one string', () => plain.renderSync(parsed, values), {
  count,
});
const ours = parseTemplate(htmlEngine, sampleHtml);
if (ours.kind === 'invalid') throw new Error(ours.problem.detail);
const scope = { variables: values, globals: { now: '' } };
const evaluate = () => evaluateTemplate(ours.template, scope, new TextEmitter());
await measure('the same by our evaluator', evaluate, { count });
await measure('sign both tokens of a recipient', (n) => sampleRecipient(n % 500), { count });
for (const [name, html] of sampleMails) {
  const template = compileSample(html);
  await measure(`render a recipient, ${name}`, (n) => renderSample(template, n % 500), { count });
  const grant = Array.from({ length: 500 }, (_, seq) => renderSample(template, seq));
  const { digest } = template.message;
  const encode = () => encodeRendered(digest, grant);
  await measure(`encode for Redis, ${Math.round(encode().length / 500)} B a recipient`, encode, {
    count: count / 50,
    items: 500,
  });
}
