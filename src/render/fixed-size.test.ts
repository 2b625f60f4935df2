import { expect, test } from 'vitest';
import { compileMessage } from './compile.ts';
import { limits } from './limits.ts';
import { checkTemplate } from './preview.ts';
import { renderRecipient } from './render.ts';
import {
  compileSample,
  renderSample,
  sampleContext,
  sampleRecipient,
  sampleSource,
} from './sample-message.ts';
import type { SourceError, TemplateSource } from './source.ts';
import { messageSize } from './splice.ts';

/** Of the template by itself, and of the message made of it. */
function errorsOf(source: Partial<TemplateSource>): readonly (readonly SourceError[])[] {
  const written = { ...sampleSource, ...source };
  const compiled = compileMessage(written);
  return [checkTemplate(written).errors, compiled.kind === 'invalid' ? compiled.errors : []];
}

const cyrillic = 'я'.repeat(90_000);

test('a template whose messages are too large whoever gets them is refused, with the figures', () => {
  const detail = expect.stringMatching(
    /^the fixed text alone is 11\d{5} bytes as sent \(HTML 56\d{4}, text 56\d{4}\): a message has at most 1048576$/,
  );
  const html = `<p>${cyrillic}</p>{{ profile.first_name }}`;
  expect(errorsOf({ html })).toEqual([[{ field: 'html', detail }], [{ field: 'html', detail }]]);
  expect(errorsOf({ html, text: 'short' })).toEqual([[], []]);
});

test.each([
  ['what a condition may leave out', `{% if profile.vip %}${cyrillic}{% endif %}`],
  ['what a loop may never come to', `{% for a in profile.list %}${cyrillic}{% else %}x{% endfor %}`],
  ['what is caught', `{% capture a %}${cyrillic}{% endcapture %}`],
  ['a comment', `{% comment %}${cyrillic}{% endcomment %}`],
  ['what comes after an end', `Hi {% if profile.first_name %}{% break %}{% endif %}${cyrillic}`],
])('%s does not count', (_, text) => {
  expect(errorsOf({ text, html: text })).toEqual([[], []]);
  expect(renderSample(compileSample({ text, html: text })).seq).toBe(7);
});

test('raw text counts, and so does what stands behind a loop that can be left', () => {
  const text = `{% for a in profile.list %}{% break %}{% endfor %}{% raw %}${cyrillic}{% endraw %}`;
  expect(errorsOf({ text, html: text }).map((errors) => errors.length)).toEqual([1, 1]);
});

test('the header and what stands around the parts count: the largest that is let through is sent', () => {
  const sourceOf = (length: number) => ({ ...sampleSource, html: 'x', text: 'я'.repeat(length) });
  let [fits, tooLong] = [0, limits.textLength];
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (compileMessage(sourceOf(middle)).kind === 'invalid') tooLong = middle;
    else fits = middle;
  }
  // A recipient's own fields take a few hundred bytes.
  const largest = compileSample(sourceOf(fits - 100));
  const size = messageSize(largest.message, renderSample(largest));
  expect(size).toBeGreaterThan(limits.messageBytes - 1_000);
});

test('too many pieces are refused as they would be skipped', () => {
  const html = 'x{{ profile.a }}'.repeat(10_500);
  const detail = 'its tags and outputs cut the fixed text into 21000 parts: a message has at most 20000';
  expect(errorsOf({ html, text: html })[0]).toEqual([{ field: 'html', detail }]);
  expect(errorsOf({ html, text: html })[1]).toHaveLength(1);
});

test('a subject that is too long for everybody is refused, and one that may be is not', () => {
  const subject = 'a'.repeat(1_001);
  const detail = 'its fixed text alone has 1001 characters: a subject has at most 1000';
  expect(errorsOf({ subject })).toEqual([[{ field: 'subject', detail }], [{ field: 'subject', detail }]]);
  const some = `{% if profile.vip %}${subject}{% else %}Hi{% endif %}`;
  expect(errorsOf({ subject: some })).toEqual([[], []]);
  expect(renderRecipient(compileSample({ subject: some }), sampleRecipient, sampleContext).kind).toBe(
    'rendered',
  );
});
