/**
 * How many messages of a destination may be outstanding. Pure.
 *
 * A window of three seconds of what is answered is Little's law turned round: nothing waits longer than that, and a destination that
 * hangs answers nothing, so that its window falls to the floor within seconds. Only a window that is in use teaches anything.
 */

import { smallestPerSecond } from './learn-rate.ts';

export interface Window {
  readonly messages: number;
  /** Half of it or more is outstanding since; undefined: it is not. */
  readonly saturatedSinceMs: number | undefined;
  /** When it may be moved next. */
  readonly moveAtMs: number;
  /** After a breaker closed: it doubles up to so many, whatever is measured, as long as nothing goes wrong. */
  readonly restoreTo: number | undefined;
}

export interface WindowEvidence {
  readonly nowMs: number;
  readonly outstanding: number;
  readonly measuredPerSecond: number;
  /** Time-outs and refusals, more than chance. */
  readonly hasTrouble: boolean;
  /** The lesser of the learnt and the configured rate. */
  readonly perSecond: number | undefined;
}

const windowSeconds = 3;
const coldMessages = 1_000;
const floorMessages = 32;
const fewMessages = 4;
const moveEveryMs = 250;
const growBy = 1.5;
const shrinkBy = 0.8;
/** Not one answer in two seconds, though it has work. */
const hangBy = 0.5;
const troubleBy = 0.7;
/** What is measured in the first seconds of work is how long it takes to begin. */
const trustAfterMs = 2_000;
const restoreFrom = 0.1;

export function coldWindow(perSecond: number | undefined): Window {
  const messages = Math.min(coldMessages, mostAtRate(perSecond));
  return { messages, saturatedSinceMs: undefined, moveAtMs: 0, restoreTo: undefined };
}

/** The most that may wait at a rate: a message more would only wait longer. A learnt rate needs a few, or nothing is learnt between two grants. */
export function mostAtRate(perSecond: number | undefined): number {
  if (perSecond === undefined) return Number.POSITIVE_INFINITY;
  const least = perSecond >= smallestPerSecond ? fewMessages : 1;
  return Math.max(least, perSecond * windowSeconds);
}

export function floorAtRate(perSecond: number | undefined): number {
  return Math.min(floorMessages, mostAtRate(perSecond));
}

export function targetOf(measuredPerSecond: number): number {
  return measuredPerSecond * windowSeconds;
}

/** After a probe's success: a tenth of what it was, and twice that at each clean step. */
export function restartWindow(window: Window, nowMs: number): Window {
  return {
    messages: Math.max(floorMessages, window.messages * restoreFrom),
    saturatedSinceMs: undefined,
    moveAtMs: nowMs + moveEveryMs,
    restoreTo: window.messages,
  };
}

export function moveWindow(window: Window, evidence: WindowEvidence): Window {
  const seen = watchSaturation(window, evidence);
  if (evidence.nowMs < seen.moveAtMs) return seen;
  const moved = { ...seen, ...step(seen, evidence), moveAtMs: evidence.nowMs + moveEveryMs };
  return { ...moved, messages: clamp(moved.messages, evidence.perSecond) };
}

function watchSaturation(window: Window, { nowMs, outstanding }: WindowEvidence): Window {
  const isSaturated = outstanding >= window.messages / 2;
  return { ...window, saturatedSinceMs: isSaturated ? (window.saturatedSinceMs ?? nowMs) : undefined };
}

function step(window: Window, evidence: WindowEvidence): Partial<Window> {
  if (evidence.hasTrouble) return { messages: cut(window, evidence), restoreTo: undefined };
  if (window.restoreTo !== undefined) return restore(window.messages * 2, window.restoreTo, evidence.nowMs);
  if (window.saturatedSinceMs === undefined) return {};
  const target = targetOf(evidence.measuredPerSecond);
  if (target >= window.messages) return { messages: Math.min(target, window.messages * growBy) };
  if (evidence.nowMs - window.saturatedSinceMs < trustAfterMs) return {};
  const shrink = evidence.measuredPerSecond === 0 ? hangBy : shrinkBy;
  return { messages: Math.max(target, window.messages * shrink) };
}

/** Never below one second of what it answers: below that the window itself would be the limit, and refusals are the rate's business. */
function cut(window: Window, { measuredPerSecond }: WindowEvidence): number {
  return Math.max(Math.min(window.messages, measuredPerSecond), window.messages * troubleBy);
}

function restore(doubled: number, restoreTo: number, nowMs: number): Partial<Window> {
  if (doubled < restoreTo) return { messages: doubled };
  // What was measured on the way up is less than it can do: it is judged from here on.
  return { messages: restoreTo, restoreTo: undefined, saturatedSinceMs: nowMs };
}

function clamp(messages: number, perSecond: number | undefined): number {
  return Math.min(mostAtRate(perSecond), Math.max(floorAtRate(perSecond), messages));
}
