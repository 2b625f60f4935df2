/** A moment in the two spellings that a message needs. Many are rendered in the same millisecond: the last is remembered. */

export interface Moment {
  /** RFC 3339: what templates see as `now`. */
  readonly iso: string;
  /** RFC 5322 3.3, in UTC: the message's Date. */
  readonly date: string;
}

let lastMs = Number.NaN;
let last: Moment = { iso: '', date: '' };

export function spellMoment(now: Date): Moment {
  if (now.getTime() === lastMs) return last;
  last = { iso: now.toISOString(), date: now.toUTCString().replace('GMT', '+0000') };
  lastMs = now.getTime();
  return last;
}
