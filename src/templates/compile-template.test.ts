import { expect, test } from 'vitest';
import { compileTemplate } from './compile-template.ts';

const mjmlOf = (text: string) =>
  `<mjml>\n<mj-body>\n<mj-section><mj-column>\n<mj-text>${text}</mj-text>\n</mj-column></mj-section>\n</mj-body>\n</mjml>`;
const link = '<a href="{{ unsubscribe_url }}">stop</a>';

test('MJML becomes HTML with its Liquid untouched', async () => {
  const result = await compileTemplate({ subject: 'x', mjml: mjmlOf(`Hi {{ profile.first_name }} ${link}`) });
  if (result.kind !== 'valid') throw new Error(JSON.stringify(result.errors));
  expect(result.html).toContain('{{ profile.first_name }}');
  expect(result.html).not.toContain('<mj-');
  expect(result.warnings).toEqual([]);
});

test('HTML is kept as it is, and warned about where people would regret it', async () => {
  const html = '<p>Hi</p>';
  expect(await compileTemplate({ subject: 'x', html })).toMatchObject({
    kind: 'valid',
    html,
    warnings: [{ code: 'no_unsubscribe_link', pointer: '/html' }],
  });
});

test('a Liquid error in MJML is told by its line in the MJML', async () => {
  const result = await compileTemplate({ subject: 'x', mjml: mjmlOf('a\n{% if profile.vip %}') });
  expect(result).toMatchObject({ kind: 'invalid', errors: [{ pointer: '/mjml', line: 5 }] });
});

test('errors of all fields come at once, each with its place', async () => {
  const result = await compileTemplate({
    subject: '{{ broken',
    preheader: '{% nope %}',
    html: '<p>\n{% for %}',
    text: '{{ a | no_such_filter }}{% endif %}',
  });
  if (result.kind !== 'invalid') throw new Error('it is valid');
  expect(result.errors.map((error) => error.pointer).sort()).toEqual([
    '/html',
    '/preheader',
    '/subject',
    '/text',
  ]);
  expect(result.errors.every((error) => error.line !== undefined && error.column !== undefined)).toBe(true);
});

test('MJML that is no MJML, or reads files, is refused by line', async () => {
  const unknown = await compileTemplate({ subject: 'x', mjml: mjmlOf('</mj-text><mj-nope/><mj-text>') });
  expect(unknown).toMatchObject({ kind: 'invalid', errors: [{ pointer: '/mjml' }] });
  const reading = await compileTemplate({
    subject: 'x',
    mjml: '<mjml>\n<mj-include path="/etc/passwd"/></mjml>',
  });
  expect(reading).toMatchObject({ kind: 'invalid', errors: [{ pointer: '/mjml', line: 2 }] });
});

test('MJML is measured by the HTML made of it: its own comments weigh nothing', async () => {
  const text = 'я'.repeat(90_000);
  expect(await compileTemplate({ subject: 'x', mjml: mjmlOf(text) })).toMatchObject({
    kind: 'invalid',
    errors: [
      { pointer: '/mjml', detail: expect.stringMatching(/^in the HTML made of it: .* bytes as sent/) },
    ],
  });
  const mjml = mjmlOf('Hi').replace('<mj-body>', `<!-- ${text.repeat(2)} --><mj-body>`);
  const commented = await compileTemplate({ subject: 'x', mjml });
  expect(commented.kind).toBe('valid');
});
