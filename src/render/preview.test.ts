import { expect, test } from 'vitest';
import { checkTemplate, previewMessage } from './preview.ts';
import {
  compileSample,
  decodeParts,
  sampleContext,
  sampleRecipient,
  sampleSource,
  wireText,
} from './sample-message.ts';

const source = {
  subject: 'Hi {{ profile.first_name }}',
  preheader: 'For {{ profile.first_name }} & friends',
  html: '<body>\r\n<p>{{ profile.first_name }}</p><a href="{{ unsubscribe_url }}">bye</a></body>',
};

test('a preview shows the parts as the message has them', () => {
  const preview = previewMessage(compileSample(source), sampleRecipient, sampleContext);
  expect(preview).toMatchObject({ kind: 'rendered', subject: 'Hi Ada', preheader: 'For Ada & friends' });
  const parts = decodeParts(wireText(source));
  const shown = preview as { html: string; text: string };
  expect(shown.html.replace(/\r?\n/g, '\r\n')).toBe(parts.html);
  expect(shown.text.replace(/\r?\n/g, '\r\n')).toBe(parts.text);
});

test('a preview of what cannot be sent says why', () => {
  const template = compileSample({ subject: '{{ profile.nothing }}' });
  expect(previewMessage(template, sampleRecipient, sampleContext)).toMatchObject({
    kind: 'skipped',
    reason: 'empty_subject',
  });
});

test('a sound template gives neither errors nor warnings, unknown variables or not', () => {
  expect(checkTemplate({ ...source, text: '{{ whatever.this.is }}' })).toEqual({ errors: [], warnings: [] });
});

test('HTML that Gmail clips, and HTML without a way out, are warned of', () => {
  const { errors, warnings } = checkTemplate({ subject: 'x', html: 'x'.repeat(96 * 1024) });
  expect(errors).toEqual([]);
  expect(warnings.map(({ code }) => code)).toEqual(['gmail_clips', 'no_unsubscribe_link']);
});

test('errors come with field and place', () => {
  expect(checkTemplate({ ...sampleSource, html: '\n{% if %}' }).errors).toEqual([
    expect.objectContaining({ field: 'html', line: 2 }),
  ]);
});
