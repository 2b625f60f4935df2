/**
 * How much was answered in the last seconds, by tenths of a second. Pure.
 *
 * Workers report a few times a second, each at its own beat. A report's counts are spread over the time since that worker's last one: taken as
 * they come, four lumps a second would make every average jump by a quarter.
 */

export interface Answers {
  readonly accepted: number;
  /** Accepted, refused or throttled: every message that got a reply. */
  readonly answered: number;
  readonly throttled: number;
}

/** Tenths of a second, oldest first; `last` is the number of the newest, counted from the clock's zero. */
export interface Meter {
  readonly last: number;
  readonly tenths: readonly Answers[];
}

const tenthMs = 100;
const kept = 24;
const nothing: Answers = { accepted: 0, answered: 0, throttled: 0 };

export const emptyMeter: Meter = { last: 0, tenths: Array.from({ length: kept }, () => nothing) };

/** Adds what was answered between two times; what is older than the meter reaches is left out. */
export function meterAnswers(meter: Meter, answers: Answers, fromMs: number, toMs: number): Meter {
  const moved = moveTo(meter, tenthOf(toMs));
  const startMs = Math.min(fromMs, toMs - 1);
  const perMs = 1 / (toMs - startMs);
  const tenths = moved.tenths.map((tenth, i) => {
    const beginMs = (moved.last - kept + 1 + i) * tenthMs;
    const overlapMs = Math.min(toMs, beginMs + tenthMs) - Math.max(startMs, beginMs);
    return overlapMs > 0 ? add(tenth, answers, overlapMs * perMs) : tenth;
  });
  return { last: moved.last, tenths };
}

/** Sums over the last whole tenths of a second; the one under way is left out, since its reports are still to come. */
export function answersOver(meter: Meter, nowMs: number, overMs: number): Answers {
  const { tenths } = moveTo(meter, tenthOf(nowMs));
  const whole = tenths.slice(kept - 1 - Math.round(overMs / tenthMs), kept - 1);
  return whole.reduce((sum, tenth) => add(sum, tenth, 1), nothing);
}

function moveTo(meter: Meter, tenth: number): Meter {
  const by = tenth - meter.last;
  if (by <= 0) return meter;
  const passed = Array.from({ length: Math.min(by, kept) }, () => nothing);
  return { last: tenth, tenths: [...meter.tenths.slice(passed.length), ...passed] };
}

function tenthOf(ms: number): number {
  return Math.floor(ms / tenthMs);
}

function add(to: Answers, answers: Answers, part: number): Answers {
  return {
    accepted: to.accepted + answers.accepted * part,
    answered: to.answered + answers.answered * part,
    throttled: to.throttled + answers.throttled * part,
  };
}
