import { expect, test } from 'vitest';
import type { DestinationLimits, Pace } from './pace.ts';
import { explain } from './pace-reasons.ts';

const pace: Pace = {
  windowMessages: 1_234,
  learntPerSecond: 42.25,
  measuredPerSecond: 411.6,
  breaker: 'closed',
  closedForMs: 0,
  limitedBy: 'none',
  inFlight: 0,
  connections: 0,
  lastReplies: [],
};

const sentences: [Partial<Pace>, DestinationLimits, string][] = [
  [{}, {}, 'Nothing holds it back but how fast it answers: 412 messages a second now.'],
  [
    { limitedBy: 'growing' },
    {},
    'It is being tried out: 1,234 messages may be under way, and more as they are answered (412 messages a second now).',
  ],
  [
    { limitedBy: 'slow', measuredPerSecond: 0, windowMessages: 32 },
    {},
    'It answers slowly (0 messages a second), so only 32 messages may be under way.',
  ],
  [
    { limitedBy: 'learnt_rate' },
    {},
    'It asked for less: 42 messages a second is what it puts up with, and that is raised as long as it does.',
  ],
  [{ limitedBy: 'configured_rate' }, { perSecond: 0.5 }, 'Its transport allows 30 messages a minute.'],
  [{ limitedBy: 'configured_rate' }, { perSecond: 1 }, 'Its transport allows 1 message a second.'],
  [
    { limitedBy: 'breaker', breaker: 'open', closedForMs: 14_200 },
    {},
    'Connections to it fail: it is tried again in 15 s.',
  ],
  [
    { limitedBy: 'breaker', breaker: 'half_open' },
    {},
    'Connections to it failed: one message is trying whether they work again.',
  ],
  [
    { limitedBy: 'rest', closedForMs: 7_140_000 },
    {},
    'It asked to be left alone: it is tried again in 119 min.',
  ],
  [{ limitedBy: 'quota' }, { perDay: 0 }, 'Its quota of today is used up; it goes on at midnight UTC.'],
  [{ limitedBy: 'quota' }, { perDay: 1 }, 'Its quota of today is nearly used up: 1 message left.'],
  [
    { limitedBy: 'ceiling' },
    {},
    '1,234 messages may be under way, the most of any destination (DISPATCH_WINDOW_MESSAGES).',
  ],
];

test.each(sentences)('%o with %o is said in words', (part, limits, sentence) => {
  expect(explain({ ...pace, ...part }, limits)).toBe(sentence);
});
