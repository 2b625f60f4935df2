import { expect, test } from 'vitest';
import { readArguments } from './arguments.ts';

const urls = { DATABASE_URL: 'mysql://x', REDIS_URL: 'redis://x' };
const env = { ...urls, SLUICE_TEMPORARY_DATABASE: '1' };

test.each([
  [['--min', '5', '--max', '4'], '--max'],
  [['--max', 'many'], 'numbers'],
  [['--max', '0', '--min', '0'], 'at least 1'],
  [['--maximum', '3'], 'Unknown option'],
])('%j is refused with a reason', (argv, reason) => {
  expect(readArguments(argv, env)).toMatchObject({ error: expect.stringContaining(reason) });
});

test('without arguments one to four', () => {
  expect(readArguments([], env)).toEqual({ min: 1, max: 4 });
  expect(readArguments([], {})).toMatchObject({ error: expect.stringContaining('npm run fleet') });
});

test('a database that is kept needs a key that is kept', () => {
  expect(readArguments([], urls)).toMatchObject({ error: expect.stringContaining('SECRET_KEY') });
  expect(readArguments([], { ...urls, SECRET_KEY: 'a' })).toEqual({ min: 1, max: 4 });
});
