import { describe, expect, test } from 'vitest';
import { compileMessage } from './compile.ts';
import { limits } from './limits.ts';
import { compileSample, findWireProblems, parseMail, sampleSource, wireText } from './sample-message.ts';
import type { MessageSource } from './source.ts';

const errorsOf = (source: Partial<MessageSource>) => {
  const result = compileMessage({ ...sampleSource, ...source });
  return result.kind === 'invalid' ? result.errors : [];
};

test('another parser finds every field and both parts', async () => {
  const mail = await parseMail(
    wireText({
      subject: '{{ profile.first_name }}, it starts',
      html: '<p>Hi {{ profile.first_name }}</p>',
      from: { email: 'shop@Bücher.example', name: 'Bücher & Söhne' },
      replyTo: 'help@example.com',
      headers: { 'X-Entity-Ref': 'ÄÖ 1' },
    }),
  );
  expect(mail).toMatchObject({
    subject: 'Ada, it starts',
    from: { name: 'Bücher & Söhne', address: 'shop@xn--bcher-kva.example' },
    to: [{ address: 'ada@example.org', name: '' }],
    replyTo: [{ address: 'help@example.com', name: '' }],
    date: '2026-11-27T10:00:00.000Z',
    messageId: `<dlv_${'0'.repeat(33)}.0123456789abcdef@mail.example.com>`,
    html: expect.stringContaining('<p>Hi Ada</p>'),
    text: expect.stringContaining('Hi Ada'),
  });
  const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value;
  expect(header('list-unsubscribe')).toBe('<https://click.example.com/u/token>');
  expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
  expect(header('list-id')).toBe('<ten_1.mail.example.com>');
  expect(header('feedback-id')).toBe('cmp_1:ten_1:campaign:sluice');
  expect(header('mime-version')).toBe('1.0');
  expect(header('x-entity-ref')).toMatch(/ÄÖ 1|=\?UTF-8\?B\?/);
});

test('the fields come once each, in order, the text part first', () => {
  const wire = wireText({ replyTo: 'help@example.com' });
  const head = wire.slice(0, wire.indexOf('\r\n\r\n'));
  const names = [...head.matchAll(/^([A-Za-z-]+):/gm)].map(([, name]) => name);
  const order =
    'From To Reply-To Subject Date Message-ID MIME-Version List-Unsubscribe List-Unsubscribe-Post List-Id Feedback-ID Content-Type';
  expect(names).toEqual(order.split(' '));
  expect(wire.indexOf('text/plain')).toBeLessThan(wire.indexOf('text/html'));
});

test('long fields are folded, and nothing on the wire breaks a rule', () => {
  const wire = wireText({
    subject: 'Ünï '.repeat(60),
    html: `<p>${'x'.repeat(10_220)}</p>\n.\n..`,
    from: {
      email: `${'a'.repeat(60)}@example.com`,
      name: 'A name, that is rather long and so goes on a line of its own',
    },
    headers: { 'X-Long': 'word '.repeat(100) },
  });
  expect(findWireProblems(wire)).toEqual([]);
  const long = wire.split('\r\n').filter((line) => line.length > 78);
  expect(long.filter((line) => !/^(Message-ID|List-Unsubscribe|To):| <.*>$/.test(line))).toEqual([]);
});

test('the same source gives the same bytes, another one another digest', () => {
  const digest = compileSample({ html: '<p>{{ profile.a }}</p>' }).message.digest;
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(compileSample({ html: '<p>{{ profile.a }}</p>' }).message.digest).toBe(digest);
  expect(compileSample({ html: '<p>{{ profile.a }}!</p>' }).message.digest).not.toBe(digest);
});

test('text that stands more than once is kept once', () => {
  const rows = '{% if profile.a %}<tr></tr>{% endif %}'.repeat(50);
  expect(compileSample({ html: rows, text: 'x' }).message.segments.length).toBeLessThan(12);
});

describe('a template that is wrong is refused with field and place', () => {
  test.each<[string, Partial<MessageSource>, object]>([
    [
      'a tag that is not closed',
      { html: '<p>\n  {% if profile.a %}</p>' },
      { field: 'html', line: 2, column: 3 },
    ],
    ['an output that is not closed', { subject: 'Hi {{ name' }, { field: 'subject', line: 1, column: 4 }],
    [
      'a filter nobody knows',
      { text: 'a\n\n{{ a | frobnicate }}' },
      { field: 'text', line: 3, detail: 'undefined filter: frobnicate' },
    ],
    [
      'a tag nobody knows',
      { preheader: '{% frobnicate %}' },
      { field: 'preheader', detail: 'tag "frobnicate" not found' },
    ],
    [
      'include',
      { html: '{% include "/etc/passwd" %}' },
      { field: 'html', detail: 'the tag "include" is not available: a template stands alone' },
    ],
    ['render', { html: '{% render "x" %}' }, { field: 'html', line: 1 }],
    ['layout', { html: '{% layout "x" %}' }, { field: 'html', line: 1 }],
    ['block', { html: '{% block x %}{% endblock %}' }, { field: 'html', line: 1 }],
    [
      'chance',
      { html: '{{ profile.list | sample }}' },
      { field: 'html', detail: 'undefined filter: sample' },
    ],
    [
      'tags nested without end',
      { html: '{% if a %}'.repeat(19_000) },
      { field: 'html', detail: 'nested too deeply' },
    ],
    [
      'too many tags',
      { html: '{{a}}'.repeat(20_001) },
      { field: 'html', detail: 'more than 20000 Liquid tags and outputs' },
    ],
    [
      'too much text',
      { html: 'x'.repeat(limits.htmlLength + 1) },
      { field: 'html', detail: expect.stringContaining('longer than') },
    ],
    [
      'an error below a preheader keeps its line',
      { preheader: 'a\nb', html: '<body>\n{% nope %}' },
      { field: 'html', line: 2 },
    ],
  ])('%s', (_, source, error) => expect(errorsOf(source)).toEqual([expect.objectContaining(error)]));

  test('all fields at once', () => {
    const fields = errorsOf({ subject: '{{', html: '{% x %}', from: { email: 'nobody' } }).map(
      ({ field }) => field,
    );
    expect(fields).toEqual(['from', 'subject', 'html']);
  });
});

describe('a header that is wrong is refused', () => {
  test.each<[string, Partial<MessageSource>]>([
    ['from', { from: { email: 'shop@example.com\r\nBcc: eve@example.net' } }],
    ['from', { from: { email: 'shop@example.com', name: 'Shop\r\nBcc: eve@example.net' } }],
    ['from', { from: { email: 'zoë@example.com' } }],
    ['replyTo', { replyTo: 'Help <help@example.com>' }],
    ['sendingDomain', { sendingDomain: 'mail.example.com>\r\nX: y' }],
    ['bounceDomain', { bounceDomain: '' }],
    ['listId', { listId: 'a b' }],
    ['feedbackId', { feedbackId: { ...sampleSource.feedbackId, campaign: 'a:b' } }],
    ['feedbackId', { feedbackId: { ...sampleSource.feedbackId, sender: 'abc' } }],
    ['headers', { headers: { 'X-A': 'b\nBcc: eve@example.net' } }],
    ['headers', { headers: { 'X-A\r\nBcc': 'eve@example.net' } }],
    ['headers', { headers: { BCC: 'eve@example.net' } }],
    ['headers', { headers: { 'Content-Type': 'text/plain' } }],
    ['headers', { headers: { 'X-Empty': ' ' } }],
  ])('%s: %j', (field, source) => expect(errorsOf(source)).toEqual([expect.objectContaining({ field })]));
});

test('the lines of a liquid tag count as tags', () => {
  const html = `{% liquid\n${'echo a\n'.repeat(20_000)}%}`;
  expect(compileMessage({ ...sampleSource, html })).toEqual({
    kind: 'invalid',
    errors: [{ field: 'html', detail: 'more than 20000 Liquid tags and outputs' }],
  });
  expect(compileMessage({ ...sampleSource, html: '{% liquid\necho a\necho b\n%}' }).kind).toBe('compiled');
});

test('the preheader is hidden behind the opening body tag, whatever that holds, and is escaped', () => {
  const html = `<head></head><BODY {% if 1 > 0 %}class="a>b"{% endif %} style='x>y'>\n<p>Hi</p></BODY>`;
  const wire = wireText(
    { html, preheader: '<b> & {{ profile.first_name }}' },
    { attributes: { first_name: '<Ada>' } },
  );
  expect(wire.replace(/=\r\n/g, '').replace(/=3D/g, '=')).toMatch(
    /<BODY class="a>b" style='x>y'><div style="display:none;[^"]*">&#60;b&#62; &#38; &lt;Ada&gt;<\/div>\r\n<p>Hi<\/p>/,
  );
});

test('a fragment without a body gets its preheader at the start, and the text part gets none', () => {
  const wire = wireText({ html: '<p>Hi</p>', preheader: 'Only today' }).replace(/=\r\n/g, '');
  expect(wire).toContain('Only today</div><p>Hi</p>');
  expect(wire.match(/Only today/g)).toHaveLength(1);
});
