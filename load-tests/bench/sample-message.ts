/** A mail of 28 KB with twelve product rows, conditions, filters and 57 outputs; and people to render it for. */
import { type CompiledTemplate, compileMessage } from '../../src/render/compile.ts';
import { renderRecipient } from '../../src/render/render.ts';
import { formatUnsubscribeUrl, signDeliveryId, signUnsubscribe } from '../../src/render/tokens.ts';
import { benchHtml } from './bench-message.ts';

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

export const sampleHtml = `<html><head><style>${padding.repeat(8)}</style></head><body>
<p>Hi {{ profile.first_name | default: "there" }}, {{ profile.city }}!</p>${`<p style="${padding}">Only today.</p>\n`.repeat(8)}
{% if profile.vip %}<p>VIP until {{ profile.vip_until }}</p>{% else %}<p>{{ profile.points }} points</p>{% endif %}
<table>{% for p in profile.products %}${row}{% endfor %}</table>
${Array.from({ length: 17 }, (_, i) => `<p style="color:#111">{{ profile.field_${i} }}</p>`).join('\n')}
<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>`;

/** What compiling, rendering and splicing are measured with: many outputs, and the two mails of the whole bench. */
export const sampleMails: readonly (readonly [name: string, html: string])[] = [
  ['57 outputs in 28 KB', sampleHtml],
  ['10 KB campaign mail', benchHtml(10)],
  ['40 KB campaign mail', benchHtml(40)],
];

export function compileSample(html = sampleHtml): CompiledTemplate {
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
  return compiled.message;
}

const context = { campaign: { id: 'cmp_1', name: 'Black Friday' }, now: new Date() };
const key = { id: 1, secret: Buffer.alloc(32, 7) };
const fields = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`field_${i}`, `value ${i}`]));
export const sampleAttributes = { first_name: 'Zoë', city: 'Köln', points: 120, products, ...fields };

export function sampleRecipient(seq: number) {
  const target = { tenantId: 1, profileId: seq, list: '*' } as unknown as Parameters<
    typeof signUnsubscribe
  >[1];
  return {
    seq,
    email: `person${seq}@example.org`,
    attributes: sampleAttributes,
    token: signDeliveryId(key, `dlv_${'0'.repeat(29)}${String(seq).padStart(4, '0')}`),
    unsubscribeUrl: formatUnsubscribeUrl('https://click.example.com', signUnsubscribe(key, target)),
  };
}

export function renderSample(template: CompiledTemplate, seq: number) {
  const result = renderRecipient(template, sampleRecipient(seq), context);
  if (result.kind === 'skipped') throw new Error(result.detail);
  return result.message;
}
