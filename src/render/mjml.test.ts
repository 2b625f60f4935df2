import { expect, test } from 'vitest';
import { compileMjml } from './mjml.ts';
import { decodeParts, wireText } from './sample-message.ts';

const wrap = (body: string) =>
  `<mjml><mj-body>\n<mj-section><mj-column>${body}</mj-column></mj-section></mj-body></mjml>`;

async function htmlOf(source: string): Promise<string> {
  const result = await compileMjml(source);
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.errors));
  return result.html;
}

test('Liquid passes through: in text, in attributes, and around rows by mj-raw', async () => {
  const html = await htmlOf(
    wrap(`<mj-raw>{% for p in profile.products %}</mj-raw>
      <mj-text>{{ p.title | default: "x" }} {% if p.price > 5 %}dear{% endif %}</mj-text>
      <mj-button href="{{ p.url }}">Buy</mj-button><mj-raw>{% endfor %}</mj-raw>`),
  );
  const products = [
    { title: 'Hat', url: 'https://x.example/1?a=1&b=2', price: 9 },
    { title: 'Coat', url: 'https://x.example/2', price: 1 },
  ];
  const parts = decodeParts(wireText({ html }, { attributes: { products } }));
  expect(parts.html).toContain('Hat dear');
  expect(parts.html).toContain('href="https://x.example/1?a=1&amp;b=2"');
  expect(parts.text.replace(/[\r\n]+/g, '|')).toBe(
    'Hat dear|Buy <https://x.example/1?a=1&b=2>|Coat |Buy <https://x.example/2>|',
  );
});

test('errors come with their line', async () => {
  expect(await compileMjml(wrap('<mj-nope></mj-nope>'))).toEqual({
    kind: 'invalid',
    errors: [{ line: 2, detail: expect.stringContaining('mj-nope') }],
  });
  expect(await compileMjml('no mjml at all')).toMatchObject({ kind: 'invalid' });
  expect(await compileMjml('')).toMatchObject({ kind: 'invalid' });
});

test.each([
  '<mj-include path="/etc/passwd" />',
  '<MJ-INCLUDE path="x"/>',
  '< mj-include path="./a.mjml" type="css">',
])('includes are refused, with their line: %s', async (include) => {
  const result = await compileMjml(wrap(`<mj-text>a</mj-text>\n${include}`));
  expect(result).toEqual({
    kind: 'invalid',
    errors: [{ line: 3, detail: expect.stringContaining('mj-include') }],
  });
});

test('a source beyond the limit is refused before it is read', async () => {
  expect(await compileMjml(wrap('<mj-text>a</mj-text>'.repeat(20_000)))).toEqual({
    kind: 'invalid',
    errors: [{ detail: expect.stringContaining('longer than') }],
  });
});

test('no web font is loaded that the template does not name', async () => {
  expect(await htmlOf(wrap('<mj-text font-family="Roboto">a</mj-text>'))).not.toContain(
    'fonts.googleapis.com',
  );
});
