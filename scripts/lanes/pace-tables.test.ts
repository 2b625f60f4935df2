import { expect, test } from 'vitest';
import { readArguments } from './arguments.ts';
import { inTime, perSecond, shortCount } from './figures.ts';
import { formatDestinations, formatLanes, type ShownDestination } from './pace-tables.ts';
import { formatTable } from './text-table.ts';

const nowMs = Date.parse('2026-11-27T09:00:00.000Z');
const backlog = { messages: 0, fresh: 0, retry: 0, is_estimate: false };
const gmail: ShownDestination = {
  ...{ name: 'gmail', transport: { name: 'Main' }, outstanding: 57 },
  backlog: { messages: 1_234_567, fresh: 1_200_000, retry: 34_567, is_estimate: true },
  pace: { window: 60, measured_per_second: 19.5, in_flight: 12, connections: 3, breaker: 'closed' },
  rate_limit: { per_second: 20, source: 'learnt' },
  ...{ limited_by: 'learnt_rate', reason: 'It asked for less.', next_attempt_at: '2026-11-27T08:59:59.000Z' },
};
const idle: ShownDestination = {
  ...{ ...gmail, name: 'yahoo', backlog, outstanding: 0, pace: null, rate_limit: null },
  ...{ limited_by: null, reason: null, next_attempt_at: null },
};

test('a table of destinations, the one with most work first', () => {
  expect(formatDestinations([idle, gmail], { nowMs })).toEqual([
    'TRANSPORT  DESTINATION  BACKLOG  OUT  WINDOW  RATE  LIMIT  IN FLIGHT  CONN  BREAKER  NEXT  WHY',
    'Main       gmail          ~1.2M   57      60  20/s   20/s         12     3  closed    now  learnt_rate: It asked for less.',
    'Main       yahoo              0    0       -     -      -          -     -  -           -  pace not known',
  ]);
});

test('a table of lanes', () => {
  const lane = { ...gmail, destination: gmail, class: 'campaign', weight: 250 };
  expect(formatLanes([lane], { nowMs: nowMs - 91_000 })).toEqual([
    'TRANSPORT  DESTINATION  CLASS     FRESH  RETRY  OUT  WEIGHT  NEXT  WHY',
    'Main       gmail        campaign  ~1.2M   ~35k   57     250  90 s  learnt_rate: It asked for less.',
  ]);
});

test('a line is no wider than the terminal, and other people’s text moves no cursor', () => {
  const columns = [{ head: 'A', text: (row: string) => row }];
  expect(formatTable(columns, ['0123456789'], 5)).toEqual(['A', '0123…']);
  expect(formatTable(columns, ['a\x1b[2Jb\nc'])).toEqual(['A', 'a [2Jb c']);
});

test('figures are short', () => {
  expect([0, 9_999, 10_000, 999_499, 999_500, 50_000_000, 1e9].map((n) => shortCount(n))).toEqual([
    ...['0', '9999', '10k', '999k', '1M', '50M', '1G'],
  ]);
  expect([null, 0, 0.5, 2.25, 42.4, 12_345].map(perSecond)).toEqual([
    '-',
    '0/s',
    '30/min',
    '2.3/s',
    '42/s',
    '12k/s',
  ]);
  const inMs = (ms: number) => inTime(new Date(nowMs + ms).toISOString(), nowMs);
  expect([-5, 1_500, 600_000, 10_800_000, 864_000_000].map(inMs)).toEqual([
    'now',
    '2 s',
    '10 min',
    '3 h',
    '10 d',
  ]);
});

test.each([
  [[], '--url is missing'],
  [['--url', 'localhost:8080', '--key', 'x'], 'is not the address of an API'],
  [['--url', 'http://localhost:8080'], '--key is missing'],
  [['--url', 'http://x', '--key', 'x', '--lanes', '--admin'], '--lanes are a tenant’s'],
  [['--wacht'], "Unknown option '--wacht'"],
])('%j is refused with a reason', (argv, reason) => {
  expect(readArguments(argv, {})).toMatchObject({ error: expect.stringContaining(reason) });
});

test('address and key may be in the environment', () => {
  const env = { SLUICE_URL: 'http://api.example', SLUICE_KEY: 'secret' };
  expect(readArguments(['--watch'], env)).toMatchObject({
    key: 'secret',
    isWatching: true,
    shows: 'destinations',
  });
});
