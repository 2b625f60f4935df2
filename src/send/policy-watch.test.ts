import { expect, test } from 'vitest';
import { createPolicyWatch } from './policy-watch.ts';

const refuse = (watch: ReturnType<typeof createPolicyWatch>, times: number, now = 0) =>
  Array.from({ length: times }, () => watch.answered('example.com', true, now));

test('the third refusal of a domain of which little else was tried', () => {
  expect(refuse(createPolicyWatch(), 3)).toEqual([false, false, true]);
});

test('an odd message among many pauses nobody', () => {
  const watch = createPolicyWatch();
  for (let i = 0; i < 100; i++) watch.answered('example.com', false, 0);
  expect(refuse(watch, 5)).not.toContain(true);
  expect(refuse(watch, 2)).toContain(true);
});

test('refusals of another minute, and of another domain, are not counted', () => {
  const watch = createPolicyWatch();
  refuse(watch, 2);
  expect(refuse(watch, 2, 60_000)).not.toContain(true);
  watch.answered('example.org', true, 60_000);
  expect(refuse(watch, 1, 60_000)).toEqual([true]);
});
