/**
 * The messages are those of the straightforward path: the whole template rendered with LiquidJS as it comes, MIME-encoded
 * by the letter. Templates and profiles are generated.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { Liquid } from 'liquidjs';
import { expect, test } from 'vitest';
import { compileMessage } from './compile.ts';
import { compileMjml } from './mjml.ts';
import type { Recipient } from './recipient.ts';
import { renderRecipient } from './render.ts';
import {
  decodeParts,
  findWireProblems,
  parseMail,
  sampleContext,
  sampleRecipient,
  sampleSource,
  wireText,
} from './sample-message.ts';

const options = { ownPropertyOnly: true, strictFilters: true, timezoneOffset: 0, locale: 'en-US' };
const plainHtml = new Liquid({ ...options, outputEscape: 'escape' });
const plainText = new Liquid(options);

function printPlainly(
  engine: Liquid,
  source: string,
  { attributes, email, unsubscribeUrl }: Recipient,
): string {
  const variables = {
    profile: { ...attributes, email },
    campaign: sampleContext.campaign,
    unsubscribe_url: unsubscribeUrl,
    now: sampleContext.now.toISOString(),
  };
  // As UTF-8 has it: a filter may have cut a character in halves.
  const printed = Buffer.from(String(engine.renderSync(engine.parse(source), variables))).toString();
  return printed.replace(/[^\P{Cc}\t\n\r]/gu, '').replace(/\r?\n/g, '\r\n');
}

async function expectSameAsPlain(source: string, attributes: Recipient['attributes']): Promise<void> {
  const recipient = { ...sampleRecipient, attributes };
  const wire = wireText({ html: source, text: source }, recipient);
  expect(findWireProblems(wire)).toEqual([]);
  const html = printPlainly(plainHtml, source, recipient);
  const text = printPlainly(plainText, source, recipient);
  expect(decodeParts(wire)).toEqual({ html, text });
  const mail = await parseMail(wire);
  expect(lines(mail.html)).toEqual(lines(html));
  expect(lines(mail.text)).toEqual(lines(text));
}

/** postal-mime reads lines, and doesn't keep how many empty ones end a part. */
function lines(text: string | undefined): string[] {
  return (text ?? '').replace(/\r\n/g, '\n').replace(/\n+$/, '').split('\n');
}

const word = fc.constantFrom(
  'a',
  'Ada',
  'Zoë',
  '=',
  '.',
  '..',
  ' ',
  '  ',
  '\t',
  '\n',
  '\n.',
  '<b>',
  '&',
  '"',
  '日本',
  '🛒',
  '€',
  '}',
  '%',
  'x'.repeat(80),
);
const anyText = fc.oneof(
  fc.array(word, { maxLength: 12 }).map((words) => words.join('')),
  fc.string({ unit: 'grapheme', maxLength: 100 }).map((text) => text.replaceAll('\r', '')),
);
const staticText = anyText.map((text) => text.replace(/\{/g, '('));

const scalar = fc.oneof(
  anyText,
  fc.integer({ min: -5, max: 50 }),
  fc.boolean(),
  fc.constant(null),
  fc.constant(''),
);
const profiles = fc.record(
  {
    a: scalar,
    b: scalar,
    n: fc.integer({ min: 0, max: 9 }),
    list: fc.array(scalar, { maxLength: 4 }),
    o: fc.record({ k: scalar, size: scalar }),
    rows: fc.array(fc.record({ t: scalar, p: fc.integer() }), { maxLength: 4 }),
  },
  { requiredKeys: [] },
);

const path = fc.constantFrom(
  'profile.a',
  'profile.b',
  'profile.n',
  'profile.list',
  'profile.list[0]',
  'profile.list.last',
  'profile.list.size',
  'profile["a"]',
  'profile[profile.a]',
  'profile.o.k',
  'profile.o.size',
  'profile.rows[1].t',
  'profile.none.of.this',
  'row.t',
  'row',
  'forloop.index',
  'forloop.last',
  'c',
  'v',
  'email',
  'profile.email',
  'campaign.name',
  'unsubscribe_url',
  'now',
  '"lit"',
  '3',
  'nil',
  'true',
  '(1..3)',
);
const filter = fc.constantFrom(
  '',
  '',
  ' | default: "none"',
  ' | default: profile.b, allow_false: true',
  ' | escape',
  ' | raw',
  ' | upcase | append: profile.b',
  ' | strip | truncate: 9',
  ' | size',
  ' | date: "%Y-%m-%d"',
  ' | join: ", "',
  ' | first',
  ' | json',
  ' | replace: "a", "b"',
  ' | plus: 2 | times: profile.n',
  ' | newline_to_br',
  ' | url_encode',
  ' | split: "a" | reverse | join: "-"',
  ' | where: "t" | size',
  ' | map: "t" | join',
  ' | concat: profile.list | compact | size',
  ' | sort_natural: "t" | json',
);
const condition = fc.oneof(
  path,
  fc
    .tuple(path, fc.constantFrom('==', '!=', '<', '>=', 'contains', 'and', 'or'), path)
    .map((parts) => parts.join(' ')),
  path.map((value) => `not ${value}`),
  path.map((value) => `${value} == empty or ${value} == blank`),
);
const dash = fc.constantFrom('', '', '', '-');

const { template } = fc.letrec<{ template: string; node: string }>((tie) => ({
  template: fc.array(tie('node'), { maxLength: 6 }).map((nodes) => nodes.join('')),
  node: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    staticText,
    fc.tuple(dash, path, filter, dash).map(([l, p, f, r]) => `{{${l} ${p}${f} ${r}}}`),
    fc.tuple(path, filter).map(([p, f]) => `{% assign v = ${p}${f} %}`),
    fc.tuple(path).map(([p]) => `{% echo ${p} %}{% cycle "x", ${p} %}{% increment i %}`),
    fc.tuple(path).map(([p]) => `{% liquid\n if ${p}\n echo ${p}\n endif %}`),
    staticText.map((text) => `{% raw %}${text}{{ no }}{% endraw %}{% comment %}${text}{% endcomment %}`),
    fc
      .tuple(dash, condition, tie('template'), condition, tie('template'), tie('template'))
      .map(
        ([d, c, a, e, b, z]) =>
          `{%${d} if ${c} %}${a}{% elsif ${e} ${d}%}${b}{% else %}${z}{%${d} endif ${d}%}`,
      ),
    fc.tuple(condition, tie('template')).map(([c, t]) => `{% unless ${c} %}${t}{% endunless %}`),
    fc
      .tuple(path, path, tie('template'), tie('template'))
      .map(([p, w, a, b]) => `{% case ${p} %}{% when ${w}, 3 %}${a}{% else %}${b}{% endcase %}`),
    fc
      .tuple(
        fc.constantFrom('profile.rows', 'profile.list', '(1..3)', 'profile.a'),
        fc.constantFrom('', ' limit: 2', ' offset: 1 reversed'),
        tie('template'),
        fc.constantFrom('', '{% break %}', '{% if forloop.first %}{% continue %}{% endif %}'),
        tie('template'),
      )
      .map(([p, m, a, b, e]) => `{% for row in ${p}${m} %}${b}${a}{{ row.t }}{% else %}${e}{% endfor %}`),
    fc.tuple(tie('template')).map(([t]) => `{% tablerow row in profile.list cols: 2 %}${t}{% endtablerow %}`),
    tie('template').map((t) => `{% capture c %}${t}{% endcapture %}{{ c }}{{ c | size }}`),
  ),
}));

test('generated templates give what plain LiquidJS prints, or fail where it fails', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(template, profiles, async (source, attributes) => {
      fc.pre(source !== '');
      if (!failsPlainly(source, attributes)) await expectSameAsPlain(source, attributes);
      else expect(compileAndRender(source, attributes)).toMatch(/invalid|skipped/);
    }),
    { numRuns: 800 },
  );
});

function failsPlainly(source: string, attributes: Recipient['attributes']): boolean {
  try {
    printPlainly(plainHtml, source, { ...sampleRecipient, attributes });
    printPlainly(plainText, source, { ...sampleRecipient, attributes });
    return false;
  } catch {
    return true;
  }
}

function compileAndRender(source: string, attributes: Recipient['attributes']): string {
  const compiled = compileMessage({ ...sampleSource, html: source, text: source });
  if (compiled.kind === 'invalid') return compiled.kind;
  return renderRecipient(compiled.message, { ...sampleRecipient, attributes }, sampleContext).kind;
}

test('a static text, a value and their seams survive whatever they hold', async () => {
  await fc.assert(
    fc.asyncProperty(staticText, anyText, staticText, anyText, (before, a, between, b) =>
      expectSameAsPlain(`${before}{{ profile.a }}${between}{{ profile.b }}{{ profile.a }}`, { a, b }),
    ),
    { numRuns: 500 },
  );
});

const gallery = new URL('../../../shared/data/mjml/', import.meta.url);

// The templates are MJML's own and not part of this repository: where they aren't beside it, this test doesn't exist, and
// the generated templates above stand for them.
if (existsSync(gallery)) {
  test.each(readdirSync(gallery).filter((name) => name.endsWith('.mjml')))(
    '%s gives what plain LiquidJS prints',
    async (name) => {
      const mjml = await compileMjml(readFileSync(new URL(name, gallery), 'utf8'));
      if (mjml.kind === 'invalid') throw new Error(JSON.stringify(mjml.errors));
      const greeting =
        '$&{{ profile.first_name | default: "there" }} {% if profile.vip %}VIP{% endif %} {{ unsubscribe_url }}';
      await expectSameAsPlain(mjml.html.replace(/<td[^>]*>/g, greeting), { first_name: 'Zoë & Söhne' });
    },
  );
}
