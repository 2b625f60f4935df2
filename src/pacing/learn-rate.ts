/**
 * The rate a destination puts up with, learnt from its refusals (421, 4.7.x, 429). Pure.
 *
 * While it refuses, what it accepts IS its limit: the rate is cut to nine tenths of that, and grows back. Growth is by the last
 * ceiling, as TCP's: doubled each second far below it (it refused all for a while, and takes mail again), quickly up to it, slowly around
 * it, where each step may be one too many, and quickly beyond it, where the old ceiling is proven wrong. Only a rate that is used grows.
 *
 * Half a percent of refusals is let be: among 200 answers one 421 is chance (a server restarting, one busy host of many), a cut costs a tenth
 * of the mail, and refusals below it stay well under the one percent that providers hold against a sender. They only stop the growth.
 */

export interface LearntRate {
  readonly perSecond: number;
  /** What was accepted a second when it last refused some and took the rest. */
  readonly ceilingPerSecond: number;
  /** No growth before. */
  readonly heldUntilMs: number;
  readonly throttledAtMs: number;
  readonly cutAtMs: number;
}

export interface RateEvidence {
  readonly nowMs: number;
  readonly elapsedMs: number;
  /** Refusals heard of since the last tick. */
  readonly throttled: number;
  /** The last second. */
  readonly acceptedPerSecond: number;
  readonly answeredPerSecond: number;
  readonly throttledPerSecond: number;
  /** The same, by the last half second alone: what it takes now, when the half before is out of date. */
  readonly acceptedLately: number;
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
const forgetAfterMs = 1_800_000;
/** It is closed rather than limited when it takes less than this part: then its ceiling stays as it was. */
const limitedPart = 0.1;
const growth = { farBelow: 1, below: 0.04, near: 0.01, beyond: 0.04 };
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
  if (rate && nowMs - rate.cutAtMs < deafMs) return { ...rate, throttledAtMs: nowMs };
  return cut(rate, evidence);
}

function cut(rate: LearntRate | undefined, evidence: RateEvidence): LearntRate {
  const { nowMs, configuredPerSecond } = evidence;
  const takenPerSecond = Math.min(evidence.acceptedPerSecond, evidence.acceptedLately);
  const present = Math.min(rate?.perSecond ?? Number.POSITIVE_INFINITY, configuredPerSecond ?? Infinity);
  const perSecond = Math.max(smallestPerSecond, Math.min(present, cutTo * takenPerSecond));
  return {
    perSecond,
    ceilingPerSecond: ceilingAfter(rate, evidence, takenPerSecond),
    heldUntilMs: nowMs + holdMs,
    throttledAtMs: nowMs,
    cutAtMs: nowMs,
  };
}

function ceilingAfter(rate: LearntRate | undefined, evidence: RateEvidence, takenPerSecond: number): number {
  const isLimited = evidence.acceptedPerSecond >= limitedPart * evidence.answeredPerSecond;
  if (rate && !isLimited) return rate.ceilingPerSecond;
  return Math.max(smallestPerSecond, takenPerSecond);
}

function grown(rate: LearntRate, evidence: RateEvidence): LearntRate {
  const { nowMs, elapsedMs, measuredPerSecond, configuredPerSecond = Infinity } = evidence;
  const perSecond = Math.min(rate.perSecond, configuredPerSecond);
  if (nowMs < rate.heldUntilMs || measuredPerSecond < isUsedFrom * perSecond) return { ...rate, perSecond };
  const factor = (1 + growthAt(perSecond / rate.ceilingPerSecond)) ** (elapsedMs / 1_000);
  return { ...rate, perSecond: Math.min(configuredPerSecond, perSecond * factor) };
}

function growthAt(partOfCeiling: number): number {
  if (partOfCeiling < 0.5) return growth.farBelow;
  if (partOfCeiling < 0.9) return growth.below;
  return partOfCeiling <= 1.1 ? growth.near : growth.beyond;
}
