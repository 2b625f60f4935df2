/**
 * What compiling, rendering, encoding and splicing one message costs, on one core. Run after `npm run build`:
 *
 *   node dist/load-tests/render.bench.js
 *
 * The template is a mail of 28 KB with twelve product rows, conditions, filters and 57 outputs.
 */
import { Liquid } from 'liquidjs';
import { type CompiledTemplate, compileMessage } from '../src/render/compile.ts';
import { decodeRendered, encodeRendered } from '../src/render/payload.ts';
import { renderRecipient } from '../src/render/render.ts';
import { messageBuffers } from '../src/render/splice.ts';
import { formatUnsubscribeUrl, signDeliveryId, signUnsubscribe } from '../src/render/tokens.ts';

const padding =
  'padding:10px 25px;font-family:Arial,Helvetica,sans-serif;font-size:13px;line-height:22px;color:#55575d;'.repeat(
    15,
  );
const products = Array.from({ length: 12 }, (_, i) => ({
  title: `Product ${i}`,
  price: 19.5 + i,
  url: `https://shop.example/p/${i}?a=1`,
}));
const row = `<tr><td style="${padding}"><a href="{{ p.url }}">{{ p.title }}</a></td><td>{{ p.price }}</td><td>{% if p.sale %}<b>Sale</b>{% endif %}</td></tr>\n`;
const html = `<html><head><style>${padding.repeat(8)}</style></head><body>
<p>Hi {{ profile.first_name | default: "there" }}, {{ profile.city }}!</p>${`<p style="${padding}">Only today.</p>\n`.repeat(8)}
{% if profile.vip %}<p>VIP until {{ profile.vip_until }}</p>{% else %}<p>{{ profile.points }} points</p>{% endif %}
<table>{% for p in profile.products %}${row}{% endfor %}</table>
${Array.from({ length: 17 }, (_, i) => `<p style="color:#111">{{ profile.field_${i} }}</p>`).join('\n')}
<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>`;

const compiled = compileMessage({
  subject: '{{ profile.first_name }}, Black Friday is here',
  preheader: 'For {{ profile.first_name }} only',
  html,
  from: { email: 'shop@example.com', name: 'The Shop' },
  sendingDomain: 'mail.example.com',
  bounceDomain: 'bounce.example.com',
  listId: 'ten_1',
  feedbackId: { campaign: 'cmp_1', tenant: 'ten_1', stream: 'campaign', sender: 'sluice' },
});
if (compiled.kind === 'invalid') throw new Error(JSON.stringify(compiled.errors));
const template: CompiledTemplate = compiled.message;
const context = { campaign: { id: 'cmp_1', name: 'Black Friday' }, now: new Date() };
const key = { id: 1, secret: Buffer.alloc(32, 7) };
const fields = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`field_${i}`, `value ${i}`]));
const attributes = { first_name: 'Zoë', city: 'Köln', points: 120, products, ...fields };

function recipientAt(seq: number) {
  const target = { tenantId: 1, profileId: seq, list: '*' } as unknown as Parameters<
    typeof signUnsubscribe
  >[1];
  return {
    seq,
    email: `person${seq}@example.org`,
    attributes,
    token: signDeliveryId(key, `dlv_${'0'.repeat(29)}${String(seq).padStart(4, '0')}`),
    unsubscribeUrl: formatUnsubscribeUrl('https://click.example.com', signUnsubscribe(key, target)),
  };
}

function render(seq: number) {
  const result = renderRecipient(template, recipientAt(seq), context);
  if (result.kind === 'skipped') throw new Error(result.detail);
  return result.message;
}

function measure(name: string, each: (i: number) => unknown, count = 20_000): void {
  for (let i = 0; i < count / 4; i++) each(i % 500);
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) each(i % 500);
  const microseconds = Number(process.hrtime.bigint() - start) / 1000 / count;
  console.log(`${name.padEnd(48)} ${microseconds.toFixed(1).padStart(8)} µs`);
}

const plain = new Liquid({ outputEscape: 'escape', ownPropertyOnly: true });
const parsed = plain.parse(html);
const grant = Array.from({ length: 500 }, (_, i) => render(i));
const payload = encodeRendered(template.message.digest, grant);
const first = grant[0];
if (!first) throw new Error('nothing rendered');
const size = messageBuffers(template.message, first).reduce((sum, part) => sum + part.length, 0);
console.log(
  `HTML source ${html.length} B, message ${size} B, per recipient ${Math.round(payload.length / 500)} B in Redis, ${first.parts.length} parts`,
);

measure('LiquidJS alone, HTML part to one string', () =>
  plain.renderSync(parsed, { profile: attributes, unsubscribe_url: 'x' }),
);
measure('sign both tokens', recipientAt);
measure('render a recipient (tokens, both parts, subject)', render);
measure('encode a grant of 500, per grant', () => encodeRendered(template.message.digest, grant), 100);
measure('decode a grant of 500, per grant', () => decodeRendered(payload), 200);
measure('splice', () => messageBuffers(template.message, first));
