/** What an outcome says of its destination, for those who learn its pace. Pure. Never what it says of one recipient. */
import type { NotedReply } from '../pacing/pace.ts';
import type { PaceEvent } from '../pacing/pace-feed.ts';
import type { OpenFailure, Outcome, Reply } from '../transports/contract.ts';
import { withoutAddresses } from './result-policy.ts';

const accepted: PaceEvent = { kind: 'accepted' };

/** Undefined: it says nothing of the destination. `isBroken`: the courier can't go on after it. */
export function toPaceEvent(outcome: Outcome, isBroken: boolean): PaceEvent | undefined {
  switch (outcome.kind) {
    case 'accepted':
      return accepted;
    case 'unknown':
      return { kind: 'timed_out', reply: note(outcome.reply, 'lost') };
    case 'untransmitted':
      return isBroken && outcome.reply.code === 0
        ? { kind: 'timed_out', reply: note(outcome.reply, 'lost') }
        : undefined;
    default:
      return ofRefusal(outcome);
  }
}

export function ofOpenFailure({ cause, reply }: OpenFailure): PaceEvent {
  return { kind: 'open_failed', reply: note(reply, cause) };
}

function ofRefusal(outcome: Extract<Outcome, { kind: 'deferred' | 'rejected' }>): PaceEvent {
  const reply = note(outcome.reply, outcome.class);
  const { effect } = outcome;
  if (effect?.action === 'rest') return { kind: 'throttled', reply, restMs: effect.durationMs ?? 0 };
  if (effect?.action === 'slow') return { kind: 'throttled', reply };
  return { kind: outcome.reply.code === 0 ? 'timed_out' : 'refused', reply };
}

function note({ code, text }: Reply, replyClass: string): NotedReply {
  return { code, text: withoutAddresses(text).slice(0, 200), class: replyClass };
}
