import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Recipient } from './recipient.ts';
import { renderRecipient } from './render.ts';
import {
  compileSample,
  decodeParts,
  findWireProblems,
  parseMail,
  renderSample,
  sampleContext,
  sampleRecipient,
  wireText,
} from './sample-message.ts';
import type { MessageSource } from './source.ts';

function skipReason(source: Partial<MessageSource>, recipient: Partial<Recipient> = {}): string {
  const result = renderRecipient(compileSample(source), { ...sampleRecipient, ...recipient }, sampleContext);
  return result.kind === 'skipped' ? result.reason : result.kind;
}

test('the envelope is the address and its own return path', () => {
  expect(renderSample(compileSample({}), { email: ' Ada@EXAMPLE.org ' })).toMatchObject({
    seq: 7,
    to: 'Ada@example.org',
    returnPath: `b+${sampleRecipient.token}@bounce.example.com`,
    needsSmtpUtf8: false,
  });
});

test("only the recipient's own strings are in the parts", () => {
  const { parts } = renderSample(
    compileSample({ html: `<p>${'static '.repeat(500)}{{ profile.first_name }}</p>` }),
  );
  const own = parts.filter((part) => typeof part !== 'number');
  expect(own.reduce((sum, part) => sum + part.length, 0)).toBeLessThan(250);
});

test('an international domain is sent to as A-labels; a local part beyond ASCII needs SMTPUTF8', async () => {
  expect(renderSample(compileSample({}), { email: 'ada@bücher.example' }).to).toBe(
    'ada@xn--bcher-kva.example',
  );
  expect(renderSample(compileSample({}), { email: 'zoë@bücher.example' })).toMatchObject({
    to: 'zoë@xn--bcher-kva.example',
    needsSmtpUtf8: true,
  });
  const mail = await parseMail(wireText({}, { email: 'zoë@example.org' }));
  expect(mail.to?.[0]?.address).toBe('zoë@example.org');
});

test('outputs are escaped in HTML, and not in text and subject', async () => {
  const source = {
    subject: 'Hi {{ profile.n }}',
    html: '{{ profile.n }}{{ profile.n | raw }}',
    text: '{{ profile.n }}',
  };
  const wire = wireText(source, { attributes: { n: '<b>"&\'' } });
  expect(decodeParts(wire)).toEqual({ html: '&lt;b&gt;&#34;&amp;&#39;<b>"&\'', text: '<b>"&\'' });
  expect((await parseMail(wire)).subject).toBe('Hi <b>"&\'');
});

test('templates see profile, campaign, unsubscribe_url and now, and nothing else', () => {
  const html =
    '{{ profile.email }}|{{ campaign.id }}|{{ campaign.name }}|{{ unsubscribe_url }}|{{ now }}|{{ "now" | date: "%Y" }}|{{ "today" | date: "%j" }}|{{ process }}|{{ profile.constructor }}|{{ constructor.name }}';
  expect(decodeParts(wireText({ html })).html).toBe(
    'ada@example.org|cmp_1|Black Friday|https://click.example.com/u/token|2026-11-27T10:00:00.000Z|2026|331|||',
  );
});

test("one part's counters and assignments do not reach the next", () => {
  const both = '{% increment i %}{% increment i %}{{ x }}{% assign x = 1 %}';
  expect(decodeParts(wireText({ html: both, text: both }))).toEqual({ html: '01', text: '01' });
});

describe('subjects', () => {
  const subjectOf = async (subject: string, attributes: Recipient['attributes'] = {}) =>
    (await parseMail(wireText({ subject }, { attributes }))).subject;

  test('the line breaks of a multi-line template are no part of it', async () => {
    const subject =
      '\n{% if profile.vip %}\n  VIP: {{ profile.first_name }}\n{% else %}\n  Hello\n{% endif %}\n  and welcome\n';
    expect(await subjectOf(subject, { vip: true, first_name: 'Zoë' })).toBe('VIP: Zoë and welcome');
    expect(await subjectOf(subject)).toBe('Hello and welcome');
  });

  test.each(['a\r\nBcc: eve@example.net', 'a\nb', 'a\rb', 'a\0b'])(
    'a value with a line break or NUL skips: %j',
    (name) => {
      expect(skipReason({ subject: 'Hi {{ profile.name }}' }, { attributes: { name } })).toBe(
        'header_injection',
      );
      expect(
        skipReason(
          { subject: '{% capture s %}{{ profile.name }}{% endcapture %}{{ s }}' },
          { attributes: { name } },
        ),
      ).toBe('header_injection');
    },
  );

  test('an empty one skips', () => {
    expect(skipReason({ subject: '{{ profile.nothing }}' })).toBe('empty_subject');
    expect(skipReason({ subject: ' \n' })).toBe('empty_subject');
  });

  test('one beyond 1,000 characters skips', () => {
    expect(skipReason({ subject: '{{ profile.a }}' }, { attributes: { a: 'x'.repeat(1001) } })).toBe(
      'too_large',
    );
  });
});

test('no attribute, however made, adds a header field or a part', async () => {
  const source = {
    subject: 'S {{ profile.a | strip_newlines }}',
    html: '{{ profile.a | raw }}',
    text: '{{ profile.a }}',
  };
  const attack = fc.array(
    fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      '\0',
      'Bcc: eve@example.net',
      '--=_',
      '--',
      '.',
      ': ',
      '=?UTF-8?Q?=0D=0A?=',
      '\r\n\r\n',
      'Content-Type: text/html',
    ),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(attack, async (words) => {
      const result = renderRecipient(
        compileSample(source),
        { ...sampleRecipient, attributes: { a: words.join('') } },
        sampleContext,
      );
      if (result.kind === 'skipped') {
        expect(['header_injection', 'empty_subject']).toContain(result.reason);
        return;
      }
      const wire = wireText(source, { attributes: { a: words.join('') } });
      expect(findWireProblems(wire)).toEqual([]);
      const mail = await parseMail(wire);
      expect(mail.headers.map(({ key }) => key)).toHaveLength(11);
      expect([mail.bcc, mail.attachments]).toEqual([undefined, []]);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['invalid_address', { email: 'ada@example.org\r\nBcc: eve@example.net' }],
  ['invalid_address', { email: 'nobody' }],
  ['header_injection', { token: 'dlv_1>\r\nX: y' }],
  ['header_injection', { unsubscribeUrl: 'https://x.example/>\r\nX: y' }],
])('%s: %j', (reason, recipient) => expect(skipReason({}, recipient)).toBe(reason));

describe('a template that runs away is stopped, and says why', () => {
  const long = 'x'.repeat(100_000);
  const loop = (body: string, turns = 1000) => `{% for i in (1..${turns}) %}${body}{% endfor %}`;
  test.each<[string, string, Recipient['attributes']]>([
    ['render_limit', loop(loop(loop(''))), {}],
    ['render_limit', loop(loop(loop('{% assign x = i %}'))), {}],
    ['render_limit', '{% for i in (1..100000000) %}{% endfor %}', {}],
    ['render_limit', `{% assign s = "xx" %}${loop('{% assign s = s | append: s %}')}{{ s }}`, {}],
    [
      'render_limit',
      `{% assign s = "xx" %}${loop('{% capture s %}{{ s }}{{ s }}{% endcapture %}')}{% if s == "y" %}{% endif %}`,
      {},
    ],
    [
      'render_limit',
      `{% assign a = "x" | split: "," %}${loop('{% assign a = a | push: a | push: a %}')}{{ a }}`,
      {},
    ],
    [
      'render_limit',
      `{% assign a = "x,y" | split: "," %}${loop('{% assign b = a | concat: a | group_by: "size" | map: "items" %}{% assign a = b %}')}{{ a | join }}`,
      {},
    ],
    ['render_limit', '{{ profile.a | replace: "x", profile.a }}', { a: long }],
    ['too_large', loop('{{ profile.a }}'), { a: long }],
    ['too_large', loop(`<p>${'static'.repeat(1000)}</p>`), {}],
    ['too_large', loop(`${'abcdefgh'.repeat(20)}{{ i }}`, 8_000), {}],
    ['too_large', '{{ profile.a }}', { a: 'ä'.repeat(200_000) }],
  ])('%s: %s', (reason, text, attributes) => {
    const start = performance.now();
    expect(skipReason({ html: '<p>Hi</p>', text }, { attributes })).toBe(reason);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

test("what fails for one recipient is that recipient's result, with the place", () => {
  const template = compileSample({ html: '<p>\n{{ profile.path | url_decode }}</p>' });
  const broken = renderRecipient(
    template,
    { ...sampleRecipient, attributes: { path: '%E0%A4%A' } },
    sampleContext,
  );
  expect(broken).toEqual({
    kind: 'skipped',
    reason: 'render_error',
    detail: expect.stringContaining('URI malformed'),
  });
  expect(renderSample(template, { attributes: { path: 'a%20b' } }).parts.length).toBeGreaterThan(10);
});

test('no value can stand for a segment: what looks like a number is text', () => {
  const attributes = { first_name: 0, tags: [1, 2], o: { a: 1 } };
  const wire = wireText(
    { html: '<p>{{ profile.first_name }}{{ profile.tags }}{{ profile.o }}</p>' },
    { attributes },
  );
  expect(decodeParts(wire).html).toBe('<p>012[object Object]</p>');
});
