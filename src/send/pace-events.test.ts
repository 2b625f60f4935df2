import { expect, test } from 'vitest';
import type { Outcome } from '../transports/contract.ts';
import { toPaceEvent } from './pace-events.ts';

const lost = { code: 0, text: 'connection lost' };
const said = (code: number, text = 'no') => ({ code, text });

test.each<[string, Outcome, boolean, object | undefined]>([
  ['accepted', { kind: 'accepted', reply: said(250) }, false, { kind: 'accepted' }],
  ['no answer', { kind: 'unknown', reply: lost }, true, { kind: 'timed_out' }],
  [
    'a connection that broke before the body',
    { kind: 'untransmitted', reply: lost },
    true,
    { kind: 'timed_out' },
  ],
  ['a message that was called back', { kind: 'untransmitted', reply: lost }, false, undefined],
  ['a session that was ended', { kind: 'untransmitted', reply: said(421) }, true, undefined],
  [
    'a connection lost in the body',
    { kind: 'deferred', class: 'transient', reply: lost },
    true,
    { kind: 'timed_out' },
  ],
  ['greylisting', { kind: 'deferred', class: 'transient', reply: said(451) }, false, { kind: 'refused' }],
  [
    'an address that is not there',
    { kind: 'rejected', class: 'address', reply: said(550) },
    false,
    { kind: 'refused' },
  ],
  [
    'a sender refused for policy',
    {
      kind: 'rejected',
      class: 'policy',
      reply: said(550),
      effect: { action: 'pause_sender', scope: 'sender' },
    },
    false,
    { kind: 'refused' },
  ],
  [
    'too fast',
    {
      kind: 'deferred',
      class: 'throttled',
      reply: said(421),
      effect: { action: 'slow', scope: 'destination' },
    },
    true,
    { kind: 'throttled' },
  ],
  [
    'a request to rest',
    {
      ...{ kind: 'deferred', class: 'throttled', reply: said(421) },
      effect: { action: 'rest', scope: 'destination', durationMs: 60_000 },
    },
    true,
    { kind: 'throttled', restMs: 60_000 },
  ],
])('%s', (_, outcome, isBroken, event) => {
  const seen = toPaceEvent(outcome, isBroken);
  if (event) expect(seen).toMatchObject(event);
  else expect(seen).toBeUndefined();
});
