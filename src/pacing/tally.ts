/** What one worker lived through with one destination since its last report; counted in place, since it happens per message. */

import { type NotedReply, notedReplies, type PaceReport } from './pace.ts';
import type { PaceEvent } from './pace-event.ts';

const fieldOf = {
  accepted: 'accepted',
  refused: 'refused',
  throttled: 'throttled',
  timed_out: 'timedOut',
  opened: 'opened',
  open_failed: 'openFailures',
} as const satisfies Record<PaceEvent['kind'], keyof PaceReport>;

export class Tally {
  accepted = 0;
  refused = 0;
  throttled = 0;
  timedOut = 0;
  opened = 0;
  openFailures = 0;
  restMs = 0;
  #replies: readonly NotedReply[] = [];

  add(event: PaceEvent): void {
    this[fieldOf[event.kind]]++;
    if (event.restMs !== undefined) this.restMs = Math.max(this.restMs, event.restMs);
    if (event.reply) this.#replies = [...this.#replies, event.reply].slice(-notedReplies);
  }

  /** What could not be reported is reported next time. */
  addEarlier(tally: Tally): void {
    for (const field of Object.values(fieldOf)) this[field] += tally[field];
    this.restMs = Math.max(this.restMs, tally.restMs);
    this.#replies = [...tally.#replies, ...this.#replies].slice(-notedReplies);
  }

  report(destinationId: number, held: { inFlight: number; connections: number }): PaceReport {
    const { accepted, refused, throttled, timedOut, opened, openFailures, restMs } = this;
    const counts = { accepted, refused, throttled, timedOut, opened, openFailures, restMs };
    return { destinationId, ...counts, ...held, replies: this.#replies };
  }
}
