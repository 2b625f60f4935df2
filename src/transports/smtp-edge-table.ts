/** What may go wrong at each edge of an SMTP dialogue, what became of the message then, and whether the connection can carry another. */
import type { Action, Rule } from '../testing/smtp-sink/rule.ts';
import type { Outcome } from './contract.ts';

type Stage = Rule['stage'];

export interface Edge {
  readonly what: string;
  readonly rule: Rule;
  readonly kind: Outcome['kind'];
  readonly replyClass: string | undefined;
  readonly isUsable: boolean;
}

function edge(what: string, stage: Stage, action: Action, became: string, then: 'goes on' | 'ends'): Edge {
  const [kind, replyClass] = became.split(', ') as [Outcome['kind'], string | undefined];
  return { what, rule: { stage, action }, kind, replyClass, isUsable: then === 'goes on' };
}

const reply = (code: number, text: string): Action => ({ do: 'reply', code, text });
const raw = (bytes: string): Action => ({ do: 'raw', bytes });
const stall = (takesEffect = false): Action => ({ do: 'stall', takesEffect });
const reset = (takesEffect = false): Action => ({ do: 'reset', takesEffect });
const hangup = (takesEffect = false): Action => ({ do: 'hangup', takesEffect });
const garbage = (takesEffect = false): Action => ({ do: 'garbage', takesEffect });
const split = (...sizes: number[]): Action => ({ do: 'split', sizes });
const drip: Action = { do: 'drip', everyMs: 40 };

export const edges: readonly Edge[] = [
  edge('MAIL refused for now', 'mail', reply(451, '4.3.0 Later'), 'deferred, transient', 'goes on'),
  edge('MAIL refused for good', 'mail', reply(550, '5.1.8 Bad sender'), 'rejected, message', 'goes on'),
  edge('421 to MAIL', 'mail', reply(421, '4.7.0 Too fast'), 'deferred, throttled', 'ends'),
  edge('421 to MAIL, idle', 'mail', reply(421, '4.4.2 Timeout'), 'untransmitted', 'ends'),
  edge('hang at MAIL', 'mail', stall(), 'untransmitted', 'ends'),
  edge('RST at MAIL', 'mail', reset(), 'untransmitted', 'ends'),
  edge('FIN at MAIL', 'mail', hangup(), 'untransmitted', 'ends'),

  edge('unknown user', 'rcpt', reply(550, '5.1.1 Unknown'), 'rejected, address', 'goes on'),
  edge('unknown user, 4yz', 'rcpt', reply(450, '4.1.1 Unknown'), 'deferred, address', 'goes on'),
  edge('greylisted', 'rcpt', reply(451, '4.7.1 Greylisted'), 'deferred, transient', 'goes on'),
  edge('421 to RCPT', 'rcpt', reply(421, '4.7.28 Too fast'), 'deferred, throttled', 'ends'),
  edge('hang at RCPT', 'rcpt', stall(), 'untransmitted', 'ends'),
  edge('RST at RCPT', 'rcpt', reset(), 'untransmitted', 'ends'),
  edge('FIN at RCPT', 'rcpt', hangup(), 'untransmitted', 'ends'),
  edge('slow drip at RCPT', 'rcpt', drip, 'untransmitted', 'ends'),
  edge('garbage at RCPT', 'rcpt', garbage(), 'untransmitted', 'ends'),
  edge('503 out of sequence', 'rcpt', reply(503, '5.5.1 Sequence'), 'deferred, transient', 'ends'),

  edge('DATA refused for now', 'data', reply(451, '4.3.0 Later'), 'deferred, transient', 'goes on'),
  edge('DATA refused for good', 'data', reply(554, '5.7.1 Spam'), 'rejected, policy', 'goes on'),
  edge('421 to DATA', 'data', reply(421, '4.7.0 Closing'), 'deferred, throttled', 'ends'),
  edge('hang before the 354', 'data', stall(), 'untransmitted', 'ends'),
  edge('RST before the 354', 'data', reset(), 'untransmitted', 'ends'),
  edge('FIN before the 354', 'data', hangup(), 'untransmitted', 'ends'),
  edge('drip of the 354', 'data', drip, 'untransmitted', 'ends'),
  edge('250 for a 354', 'data', raw('250 OK\r\n'), 'untransmitted', 'ends'),
  edge('354 with an answer to come', 'data', raw('354 Go\r\n250 OK\r\n'), 'untransmitted', 'ends'),
  edge('354 with half an answer', 'data', raw('354 Go\r\n25'), 'untransmitted', 'ends'),
  edge('garbage for a 354', 'data', garbage(), 'untransmitted', 'ends'),

  edge('message refused for now', 'dot', reply(451, '4.3.0 Later'), 'deferred, transient', 'goes on'),
  edge('message refused for good', 'dot', reply(554, '5.7.1 Spam'), 'rejected, policy', 'goes on'),
  edge('421 to the dot', 'dot', reply(421, '4.7.0 Too fast'), 'deferred, throttled', 'ends'),
  edge('hang after the dot', 'dot', stall(), 'unknown', 'ends'),
  edge('hang after the dot, accepted', 'dot', stall(true), 'unknown', 'ends'),
  edge('RST after the dot', 'dot', reset(), 'unknown', 'ends'),
  edge('RST after the dot, accepted', 'dot', reset(true), 'unknown', 'ends'),
  edge('FIN after the dot, accepted', 'dot', hangup(true), 'unknown', 'ends'),
  edge('garbage after the dot', 'dot', garbage(true), 'unknown', 'ends'),
  edge('half a 250 after the dot', 'dot', raw('250 O'), 'unknown', 'ends'),
  edge('"2 fine" after the dot', 'dot', raw('2 fine\r\n'), 'unknown', 'ends'),
  edge('drip after the dot', 'dot', drip, 'unknown', 'ends'),

  edge('split replies', 'rcpt', split(1, 3), 'accepted', 'goes on'),
  edge('split 354', 'data', split(2), 'accepted', 'goes on'),
  edge('split 250', 'dot', split(5), 'accepted', 'goes on'),
  edge('250 of several lines', 'dot', reply(250, '2.0.0 one\n2.0.0 two'), 'accepted', 'goes on'),
];

/** Where the server keeps us waiting on purpose; elsewhere a busy machine must not look like a server that does. */
export function keepsWaiting({ rule: { action } }: Edge): boolean {
  return (
    action.do === 'stall' || action.do === 'drip' || (action.do === 'raw' && !action.bytes.endsWith('\n'))
  );
}
