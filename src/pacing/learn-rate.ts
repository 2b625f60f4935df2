/**
 * The rate a destination puts up with, learnt from its refusals (421, 4.7.x, 429). Pure.
 *
 * While it refuses, what it accepts IS its limit: the rate is cut to nine tenths of that, and grows back. Growth is by the last
 * ceiling, as TCP's: doubled each second far below it (it refused all for a while, and takes mail again), quickly up to it, slowly around
 * it, where each step may be one too many, and quickly beyond it, where the old ceiling is proven wrong. Only a rate that is used grows, but for
 * one far below the ceiling: there a few messages leave a second, in grants that come and go, which no meter shows as use. What grows it is
 * quiet since the last refusal and something accepted in it.
 *
 * One that refuses all is tried at a fiftieth of what it took: seldom enough to be left in peace, often enough to notice soon when it is well again.
 *
 * Half a percent of refusals is let be: among 200 answers one 421 is chance (a server restarting, one busy host of many), a cut costs a tenth
 * of the mail, and refusals below it stay well under the one percent that providers hold against a sender. They only stop the growth.
 */

export interface LearntRate {
  readonly perSecond: number;
  /** What was accepted a second when it last refused some and took the rest. */
  readonly ceilingPerSecond: number;
  /** What it took when the present run of refusals began: on the way to refusing all, it takes less each time, which says nothing. */
  readonly firstCeilingPerSecond: number;
  /** No growth before. */
  readonly heldUntilMs: number;
  readonly throttledAtMs: number;
  readonly cutAtMs: number;
  /** When it last refused all. */
  readonly closedAtMs: number;
}

type Ceilings = Pick<LearntRate, 'ceilingPerSecond' | 'firstCeilingPerSecond'>;

export interface RateEvidence {
  readonly nowMs: number;
  readonly elapsedMs: number;
  /** Refusals heard of since the last tick. */
  readonly throttled: number;
  /** When something accepted was last heard of. */
  readonly acceptedAtMs: number;
  /** The last second. */
  readonly acceptedPerSecond: number;
  readonly answeredPerSecond: number;
  readonly throttledPerSecond: number;
  /** The same, by the last half second alone: what it takes now, when the half before is out of date. */
  readonly acceptedLately: number;
  /** Accepted a second, over two. */
  readonly acceptedBefore: number;
  /** Answered a second, over two. */
  readonly measuredPerSecond: number;
  readonly configuredPerSecond: number | undefined;
}

export const smallestPerSecond = 0.5;
const cutTo = 0.9;
const tolerated = 0.005;
const holdMs = 2_000;
/** A refusal of what left before the last cut was obeyed says nothing new. */
const deafMs = 600;
/** Refusals closer than this are one run of them. */
const runMs = 10_000;
const forgetAfterMs = 1_800_000;
/** It is closed rather than limited when it has taken nothing for so long: then its ceiling stays as it was. */
const closedAfterMs = 2_500;
const farOverPart = 0.1;
/** Of ten a second one refused is a tenth, and half a second of them says little. */
const farOverLeast = 3;
/** One that is closed is tried at this part of its ceiling. */
const closedPart = 0.02;
/** What it refuses so soon after it refused all left before it was well again. */
const reopeningMs = 2_000;
const farBelowPart = 0.5;
const growth = { farBelow: 1, below: 0.1, near: 0.01, beyond: 0.04, most: 0.5 };
const isUsedFrom = 0.7;

export function learnRate(rate: LearntRate | undefined, evidence: RateEvidence): LearntRate | undefined {
  if (evidence.throttled > 0) return refused(rate, evidence);
  if (!rate) return undefined;
  if (evidence.nowMs - rate.throttledAtMs > forgetAfterMs) return undefined;
  return grown(rate, evidence);
}

function refused(rate: LearntRate | undefined, evidence: RateEvidence): LearntRate | undefined {
  const { nowMs, throttledPerSecond, answeredPerSecond, throttled } = evidence;
  const refusals = Math.max(throttled, throttledPerSecond);
  const isChance = refusals < Math.max(answeredPerSecond, throttled) * tolerated;
  if (isChance) return rate && { ...rate, heldUntilMs: nowMs + holdMs, throttledAtMs: nowMs };
  if (rate && !isFarOver(evidence) && nowMs - rate.cutAtMs < deafMs) return { ...rate, throttledAtMs: nowMs };
  return cut(rate, evidence);
}

function cut(rate: LearntRate | undefined, evidence: RateEvidence): LearntRate {
  const { nowMs } = evidence;
  const ceilings = ceilingsAfter(rate, evidence);
  return {
    perSecond: Math.max(smallestPerSecond, rateAfter(rate, evidence, ceilings)),
    ...ceilings,
    heldUntilMs: nowMs + holdMs,
    throttledAtMs: nowMs,
    cutAtMs: nowMs,
    closedAtMs: isClosed(evidence) ? nowMs : (rate?.closedAtMs ?? Number.NEGATIVE_INFINITY),
  };
}

function rateAfter(rate: LearntRate | undefined, evidence: RateEvidence, ceilings: Ceilings): number {
  const { configuredPerSecond = Number.POSITIVE_INFINITY } = evidence;
  if (isClosed(evidence)) return Math.min(configuredPerSecond, closedPart * ceilings.ceilingPerSecond);
  const present = Math.min(rate?.perSecond ?? Number.POSITIVE_INFINITY, configuredPerSecond);
  return Math.min(present, cutTo * takenOf(evidence));
}

function isClosed({ nowMs, acceptedAtMs }: RateEvidence): boolean {
  return nowMs - acceptedAtMs >= closedAfterMs;
}

/** Far over the limit the last half second tells it best; near it a whole one does, which jumps less. */
function takenOf(evidence: RateEvidence): number {
  const { acceptedPerSecond, acceptedLately } = evidence;
  return isFarOver(evidence) ? Math.min(acceptedPerSecond, acceptedLately) : acceptedPerSecond;
}

function isFarOver({ throttledPerSecond, answeredPerSecond }: RateEvidence): boolean {
  return throttledPerSecond > Math.max(farOverPart * answeredPerSecond, farOverLeast);
}

function ceilingsAfter(rate: LearntRate | undefined, evidence: RateEvidence): Ceilings {
  const { nowMs, acceptedBefore } = evidence;
  const takenPerSecond = Math.max(smallestPerSecond, takenOf(evidence));
  const isReopening = rate && nowMs - rate.closedAtMs < reopeningMs;
  if (rate && (isClosed(evidence) || isReopening))
    return {
      ceilingPerSecond: rate.firstCeilingPerSecond,
      firstCeilingPerSecond: rate.firstCeilingPerSecond,
    };
  const isSameRun = rate && nowMs - rate.throttledAtMs < runMs;
  const firstCeilingPerSecond = isSameRun
    ? rate.firstCeilingPerSecond
    : Math.max(takenPerSecond, acceptedBefore);
  return { ceilingPerSecond: takenPerSecond, firstCeilingPerSecond };
}

function grown(before: LearntRate, evidence: RateEvidence): LearntRate {
  const { nowMs, elapsedMs, configuredPerSecond = Infinity } = evidence;
  const perSecond = Math.min(before.perSecond, configuredPerSecond);
  const rate = { ...before, perSecond };
  if (nowMs < rate.heldUntilMs || !mayGrow(rate, evidence)) return rate;
  const factor = (1 + growthOf(rate)) ** (elapsedMs / 1_000);
  return { ...rate, perSecond: Math.min(configuredPerSecond, perSecond * factor) };
}

function mayGrow(rate: LearntRate, { measuredPerSecond, acceptedAtMs }: RateEvidence): boolean {
  const isFarBelow = rate.perSecond < farBelowPart * rate.ceilingPerSecond;
  return (
    (isFarBelow && acceptedAtMs > rate.throttledAtMs) || measuredPerSecond >= isUsedFrom * rate.perSecond
  );
}

/** What it took before it closed was no limit: there may have been no more to take. */
function growthOf({ perSecond, ceilingPerSecond, cutAtMs, closedAtMs }: LearntRate): number {
  const growthNow = growthAt(perSecond / ceilingPerSecond);
  return cutAtMs - closedAtMs < reopeningMs ? Math.max(growthNow, growth.below) : growthNow;
}

function growthAt(partOfCeiling: number): number {
  if (partOfCeiling < farBelowPart) return growth.farBelow;
  if (partOfCeiling < 0.9) return growth.below;
  if (partOfCeiling <= 1.1) return growth.near;
  return Math.min(growth.most, growth.beyond * (partOfCeiling / 1.1) ** 2);
}
