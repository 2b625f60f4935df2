/**
 * The messages are those of the straightforward path, byte for byte, and they read back as what plain LiquidJS prints.
 * Templates and profiles are generated.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Liquid } from 'liquidjs';
import { expect, test } from 'vitest';
import { compileMessage } from './compile.ts';
import type { RenderedMessage } from './message.ts';
import { compileMjml } from './mjml.ts';
import { decodeRendered, decodeSegments, encodeRendered, encodeSegments } from './payload.ts';
import { renderRecipient } from './render.ts';
import {
  compileSample,
  decodeParts,
  findWireProblems,
  parseMail,
  renderSample,
  sampleContext,
  sampleRecipient,
  sampleSource,
} from './sample-message.ts';
import { wireBuffers } from './splice.ts';
import {
  type Attributes,
  plainHtml,
  plainText,
  variablesOf,
  writeMessage,
} from './straightforward-message.ts';

function printPlainly(engine: Liquid, source: string, attributes: Attributes): string {
  // As UTF-8 has it: a filter may have cut a character in halves.
  const printed = Buffer.from(
    String(engine.renderSync(engine.parse(source), variablesOf(attributes))),
  ).toString();
  return printed.replace(/[^\P{Cc}\t\n\r]/gu, '').replace(/\r?\n/g, '\r\n');
}

async function expectSameAsPlain(source: string, attributes: Attributes): Promise<void> {
  const wire = sendAndReceive(source, attributes);
  expect(findWireProblems(wire)).toEqual([]);
  const boundary = /boundary="([^"]+)"/.exec(wire)?.[1] as string;
  expect(wire).toBe(writeMessage(source, attributes, boundary));
  const html = printPlainly(plainHtml, source, attributes);
  const text = printPlainly(plainText, source, attributes);
  expect(decodeParts(wire)).toEqual({ html, text });
  const mail = await parseMail(wire);
  expect(lines(mail.html)).toEqual(lines(html));
  expect(lines(mail.text)).toEqual(lines(text));
}

/** By the whole way: compiled, rendered, through Redis's two values, onto the wire, and off it by RFC 5321 4.5.2. */
function sendAndReceive(source: string, attributes: Attributes): string {
  const template = compileSample({ html: source, text: source });
  const compiled = decodeSegments(encodeSegments(template.message));
  const grant = decodeRendered(encodeRendered(compiled.digest, [renderSample(template, { attributes })]));
  const data = Buffer.concat(wireBuffers(compiled, grant.messages.at(0) as RenderedMessage)).toString(
    'latin1',
  );
  expect(data.endsWith('\r\n.\r\n')).toBe(true);
  return data.slice(0, -3).replace(/^\./gm, '');
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
  'forloop.rindex0',
  'forloop.parentloop.index',
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
  ' | escape_once | split: "" | last',
  ' | slice: 1, 3 | capitalize',
  ' | divided_by: profile.n | round: 1',
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
    fc.tuple(dash, path, filter, dash).map(([l, p, f, r]) => `{%${l} assign v = ${p}${f} ${r}%}`),
    fc.tuple(path).map(([p]) => `{% echo ${p} %}{% cycle "x", ${p} %}{% increment i %}`),
    fc.tuple(path).map(([p]) => `{% liquid\n if ${p}\n echo ${p}\n endif %}`),
    staticText.map(
      (text) => `{% raw %}${text}{{ no }}{%- endraw -%}{% comment %}${text}{% endcomment %}{%- # no %}`,
    ),
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
        fc.constantFrom('profile.rows', 'profile.list', '(1..3)', '(profile.n..4)', 'profile.o', 'profile.a'),
        fc.constantFrom(
          '',
          ' limit: 2',
          ' offset: 1 reversed',
          ' reversed limit: profile.n',
          ' offset: continue',
        ),
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
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(template, profiles, async (source, attributes) => {
      fc.pre(source !== '');
      if (!failsPlainly(source, attributes)) await expectSameAsPlain(source, attributes);
      else expect(compileAndRender(source, attributes)).toMatch(/invalid|skipped/);
    }),
    { numRuns: 600 },
  );
});

function failsPlainly(source: string, attributes: Attributes): boolean {
  try {
    printPlainly(plainHtml, source, attributes);
    printPlainly(plainText, source, attributes);
    return false;
  } catch {
    return true;
  }
}

function compileAndRender(source: string, attributes: Attributes): string {
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
