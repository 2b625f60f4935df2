import { expect, test } from 'vitest';
import { readArguments, scenarios } from './arguments.ts';

const away = ['smoke', '--url', 'https://sluice.example.com', '--admin-token', 'x'];

test.each([
  [[], 'no scenario'],
  [['everything'], 'no scenario everything'],
  [['smoke', '--tenants', 'many'], '--tenants'],
  [['smoke', '--minutes', '-1'], '--minutes'],
  [['smoke', '--url', 'here'], 'no URL'],
  [['smoke', '--url', 'http://127.0.0.1:8080'], '--admin-token'],
  [away, '--smtp'],
  [[...away, '--smtp', 'relay.example.com:25'], '--is-sink'],
])('%j is refused with a reason', (argv, reason) => {
  expect(readArguments(argv, {})).toMatchObject({ error: expect.stringContaining(reason) });
});

test('mail goes to this machine, or to what is said to be a sink', () => {
  const local = readArguments([...away, '--smtp', '[::1]:2525'], {});
  expect(local).toMatchObject({ installation: { smtpHost: '::1', smtpPort: '2525' } });
  const named = readArguments([...away, '--smtp', 'sink.example.com:25', '--is-sink'], {});
  expect(named).toMatchObject({ installation: { smtpHost: 'sink.example.com' } });
});

test('sizes reach the scenario, and a step its factor', () => {
  expect(readArguments(['step-30x', '--tenants', '5'], {})).toMatchObject({
    env: { LOAD_FACTOR: '30', LOAD_TENANTS: '5' },
    installation: undefined,
  });
  expect(Object.keys(scenarios)).toHaveLength(7);
});
