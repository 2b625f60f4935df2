import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileSample, decodeParts, wireText } from './sample-message.ts';
import { deriveTextSource } from './text-from-html.ts';

const textOf = (html: string, attributes: Record<string, unknown> = {}) =>
  decodeParts(wireText({ html }, { attributes })).text.replaceAll('\r\n', '\n');

test('links keep their address, also one that is a value', () => {
  expect(
    textOf(
      '<p>Hi, <a href="https://example.com/a?b=1&amp;c">shop</a> or <a href="{{ unsubscribe_url }}">leave</a></p>',
    ),
  ).toBe('Hi, shop <https://example.com/a?b=1&c> or leave <https://click.example.com/u/token>\n');
});

test('a link whose text is its address is not printed twice', () => {
  expect(textOf('<a href="{{ unsubscribe_url }}">{{ unsubscribe_url }}</a>')).toBe(
    'https://click.example.com/u/token\n',
  );
});

test('loops over table rows repeat the rows, conditions leave no empty lines', () => {
  const html = `<table>
    {% for p in profile.products %}
      <tr><td>{{ p.title }}</td> <td>{{ p.price }}</td></tr>
    {% endfor %}
    </table>
    {% if profile.vip %}<p>VIP</p>{% endif %}
    <p>Bye</p>`;
  const products = [
    { title: 'Hat', price: 5 },
    { title: 'Coat', price: 90 },
  ];
  expect(textOf(html, { products })).toBe('Hat 5\nCoat 90\n\nBye\n');
  expect(textOf(html, { products: [], vip: true }).trimStart()).toBe('VIP\n\nBye\n');
});

test('lists made by a loop are lists', () => {
  const html = '<ul>{% for tag in profile.tags %}<li>{{ tag }}</li>{% endfor %}</ul>';
  expect(textOf(html, { tags: ['a', 'b'] })).toBe(' * a\n * b\n');
});

test('assignments in the head, in styles, comments and attributes still count', () => {
  const html = `<html><head>{% assign a = 1 %}<style>{% assign b = 2 %}</style></head>
    <body {% assign c = 3 %}><!-- {% assign d = 4 %} --><p>{{ a }}{{ b }}{{ c }}{{ d }}</p></body></html>`;
  expect(textOf(html)).toBe('1234\n');
});

test('conditions inside tags and attributes stay whole', () => {
  const html =
    '<p {% if profile.a %}class="x"{% endif %}><a href="{% if profile.a %}https://a.example{% else %}https://b.example{% endif %}">{% if profile.a %}A{% endif %}B</a></p>';
  expect(textOf(html, { a: true })).toBe('AB <https://a.example>\n');
  expect(textOf(html)).toBe('B <https://b.example>\n');
});

test('a condition around markup that is dropped leaves the rest of the template working', () => {
  expect(
    textOf('{% if profile.a %}<style>{% endif %}p{}{% if profile.a %}</style>{% endif %}<p>Hi</p>'),
  ).toContain('Hi');
});

test('whitespace control, comments and raw text are done before', () => {
  const html =
    '<p>a {{- profile.x -}} b</p>{%- if true -%}<p>c</p>{%- endif -%}<p>d</p>{% comment %}<p>e</p>{% endcomment %}{% raw %}<p>{{ f }}</p>{% endraw %}';
  expect(textOf(html, { x: 1 })).toBe('a1b\n\nc\n\nd\n\n{{ f }}\n');
});

test('braces of the text itself are no Liquid', () => {
  expect(textOf('<p>&#123;&#123; x }} &#123;% if %} {<b>{{ profile.x }}</b></p>', { x: 1 })).toBe(
    '{{ x }} {% if %} {1\n',
  );
});

test('headings keep their case, images and filler are left out', () => {
  expect(
    textOf(
      '<h1>Hello {{ profile.n }}</h1><img src="https://x.example/i.png" alt="logo"><p>a&nbsp;b&zwnj;&shy;c</p>',
      { n: 'Zoë' },
    ),
  ).toBe('Hello Zoë\n\na bc\n');
});

test('every tag of any markup survives, in order within its place, so that the text always compiles', () => {
  const piece = fc.constantFrom(
    '{% if profile.a %}',
    '{% else %}',
    '{% endif %}',
    '{% for i in profile.l %}',
    '{% endfor %}',
    '<table>',
    '<tr>',
    '<td>',
    '</td>',
    '</table>',
    '<a href="',
    '{{ i }}',
    '">',
    '</a>',
    '<style>',
    '</style>',
    '<!--',
    '-->',
    '<p ',
    '>',
    'text',
    '<ul><li>',
    '</ul>',
    '<head>',
    '</head>',
    '<body>',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const html = pieces.join('');
      try {
        compileSample({ html, text: 'given' });
      } catch {
        return;
      }
      const derived = deriveTextSource(html);
      const tags = (source: string) => (source.match(/\{%.*?%\}/g) ?? []).sort();
      expect(tags(derived)).toEqual(tags(html));
    }),
    { numRuns: 3000 },
  );
});
