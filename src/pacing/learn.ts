/**
 * What is learnt of one destination: reports go in, a pace comes out. Pure: no I/O, and no clock or chance but what is passed in.
 */
import { boundWindow } from './bound-window.ts';
import { type Breaker, closedBreaker, moveBreaker } from './breaker.ts';
import { type LearntRate, learnRate, type RateEvidence } from './learn-rate.ts';
import { coldWindow, moveWindow, restartWindow, type Window } from './learn-window.ts';
import { answersOver, emptyMeter, meterAnswers } from './meter.ts';
import { type DestinationLimits, notedReplies, type Pace, type PaceReport } from './pace.ts';
import type { Holding, News, PaceState } from './pace-state.ts';

export interface TickInput {
  /** Messages of it dispatched and not yet settled. */
  readonly outstanding: number;
  readonly nowMs: number;
  readonly limits: DestinationLimits;
  /** Most messages outstanding of any destination (DISPATCH_WINDOW_MESSAGES). */
  readonly ceiling: number;
  /** 0 to 1. */
  readonly random: number;
}

const nothingNew: News = { answered: 0, throttled: 0, timedOut: 0, opened: 0, openFailures: 0, restMs: 0 };
/** A worker that has not reported for so long holds nothing any more: it died, or went on to other work. */
const holdingMs = 5_000;
const firstReportMs = 250;
const longestReportMs = 2_400;
const coldAfterMs = 60_000;
const measuredOverMs = 2_000;
/** Workers report four times a second: what is younger than this is not all there yet. */
const reportLagMs = 200;
/** Fewer time-outs among the answers than this are chance. */
const toleratedTrouble = 0.005;

export function coldState(nowMs: number, limits: DestinationLimits, ceiling: number): PaceState {
  const state: PaceState = {
    meter: emptyMeter,
    window: coldWindow(limits.perSecond),
    measuredPerSecond: 0,
    answeringSinceMs: nowMs,
    answeredAtMs: Number.NEGATIVE_INFINITY,
    acceptedAtMs: nowMs,
    rate: undefined,
    breaker: closedBreaker,
    workers: new Map(),
    news: nothingNew,
    lastReplies: [],
    tickedAtMs: undefined,
    busyAtMs: nowMs,
    outstanding: 0,
    windowMessages: 0,
    limitedBy: 'growing',
  };
  return { ...state, ...boundWindow(state, limits, ceiling) };
}

export function observe(
  state: PaceState,
  report: PaceReport,
  { owner, nowMs }: { readonly owner: string; readonly nowMs: number },
): PaceState {
  const { accepted, refused, throttled, inFlight, connections } = report;
  const answered = accepted + refused + throttled;
  const since = state.workers.get(owner)?.atMs ?? nowMs - firstReportMs;
  const fromMs = Math.max(since, nowMs - longestReportMs);
  return {
    ...state,
    meter:
      answered > 0
        ? meterAnswers(state.meter, { accepted, answered, throttled }, fromMs, nowMs)
        : state.meter,
    workers: new Map(state.workers).set(owner, { inFlight, connections, atMs: nowMs }),
    news: addNews(state.news, report, answered),
    answeringSinceMs: answered > 0 ? answeringSince(state, fromMs, nowMs) : state.answeringSinceMs,
    answeredAtMs: answered > 0 ? nowMs : state.answeredAtMs,
    acceptedAtMs: accepted > 0 ? nowMs : state.acceptedAtMs,
    lastReplies: [...state.lastReplies, ...report.replies].slice(-notedReplies),
    busyAtMs: nowMs,
  };
}

/** A pause begins it anew: the seconds before work began are no part of how fast it goes. */
function answeringSince(
  { answeringSinceMs, answeredAtMs }: PaceState,
  fromMs: number,
  nowMs: number,
): number {
  return nowMs - answeredAtMs > longestReportMs ? Math.max(fromMs, nowMs - firstReportMs) : answeringSinceMs;
}

function addNews(news: News, report: PaceReport, answered: number): News {
  return {
    answered: news.answered + answered,
    throttled: news.throttled + report.throttled,
    timedOut: news.timedOut + report.timedOut,
    opened: news.opened + report.opened,
    openFailures: news.openFailures + report.openFailures,
    restMs: Math.max(news.restMs, report.restMs),
  };
}

export function tick(state: PaceState, input: TickInput): PaceState {
  const { nowMs, outstanding, limits, ceiling } = input;
  const busyAtMs = outstanding > 0 ? nowMs : state.busyAtMs;
  const measuredPerSecond = measured(state, nowMs);
  const rate = learnRate(state.rate, rateEvidence(state, input, measuredPerSecond));
  const breaker = moveBreaker(state.breaker, { ...state.news, outstanding, nowMs, random: input.random });
  const isIdle = nowMs - busyAtMs >= coldAfterMs;
  const learnt: PaceState = {
    ...state,
    rate,
    breaker,
    window: nextWindow(state, input, { measuredPerSecond, rate, breaker, isIdle }),
    measuredPerSecond,
    busyAtMs,
    outstanding,
    workers: withoutSilent(state.workers, nowMs),
    news: nothingNew,
    tickedAtMs: nowMs,
  };
  return { ...learnt, ...boundWindow(learnt, limits, ceiling) };
}

export function paceOf(state: PaceState, nowMs: number): Pace {
  const { breaker, workers } = state;
  const held = [...workers.values()];
  return {
    windowMessages: state.windowMessages,
    learntPerSecond: state.rate?.perSecond,
    measuredPerSecond: state.measuredPerSecond,
    breaker: breaker.kind,
    closedForMs: breaker.kind === 'open' ? Math.max(0, breaker.untilMs - nowMs) : 0,
    limitedBy: state.limitedBy,
    inFlight: held.reduce((sum, { inFlight }) => sum + inFlight, 0),
    connections: held.reduce((sum, { connections }) => sum + connections, 0),
    lastReplies: state.lastReplies,
  };
}

/** Nobody heard for a while what became of it (Redis was away): what was not measured then is no sign of a hang. */
export function resume(state: PaceState): PaceState {
  return { ...state, window: { ...state.window, saturatedSinceMs: undefined } };
}

function measured(state: PaceState, nowMs: number): number {
  return answersOver(state.meter, nowMs, measuredOverMs).answered / (measuredOverMs / 1_000);
}

function rateEvidence(state: PaceState, input: TickInput, measuredPerSecond: number): RateEvidence {
  const { nowMs, limits } = input;
  const second = answersOver(state.meter, nowMs - reportLagMs, 1_000);
  const answeredForMs = nowMs - reportLagMs - state.answeringSinceMs;
  const perSecond = 1_000 / Math.min(1_000, Math.max(firstReportMs, answeredForMs));
  const perHalf = Math.max(2, perSecond);
  return {
    nowMs,
    elapsedMs: nowMs - (state.tickedAtMs ?? nowMs),
    throttled: state.news.throttled,
    acceptedAtMs: state.acceptedAtMs,
    acceptedPerSecond: second.accepted * perSecond,
    answeredPerSecond: second.answered * perSecond,
    throttledPerSecond: second.throttled * perSecond,
    acceptedLately: answersOver(state.meter, nowMs - reportLagMs, 500).accepted * perHalf,
    acceptedBefore: answersOver(state.meter, nowMs - reportLagMs, 2_000).accepted / 2,
    measuredPerSecond,
    configuredPerSecond: limits.perSecond,
  };
}

interface Learnt {
  readonly measuredPerSecond: number;
  readonly rate: LearntRate | undefined;
  readonly breaker: Breaker;
  readonly isIdle: boolean;
}

function nextWindow(state: PaceState, input: TickInput, learnt: Learnt): Window {
  const { nowMs, outstanding, limits } = input;
  const perSecond = lesser(learnt.rate?.perSecond, limits.perSecond);
  // While it is closed its window is kept: what it was is where it goes on.
  if (learnt.breaker.kind !== 'closed') return state.window;
  if (state.breaker.kind !== 'closed') return restartWindow(state.window, nowMs);
  if (learnt.isIdle) return coldWindow(perSecond);
  const { measuredPerSecond } = learnt;
  return moveWindow(state.window, {
    nowMs,
    outstanding,
    measuredPerSecond,
    perSecond,
    hasTrouble: hasTrouble(state.news, measuredPerSecond),
  });
}

function hasTrouble({ throttled, timedOut, answered }: News, measuredPerSecond: number): boolean {
  const trouble = throttled + timedOut;
  return trouble > 0 && trouble >= toleratedTrouble * Math.max(answered, measuredPerSecond);
}

export function lesser(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function withoutSilent(workers: ReadonlyMap<string, Holding>, nowMs: number): ReadonlyMap<string, Holding> {
  return new Map([...workers].filter(([, { atMs }]) => nowMs - atMs < holdingMs));
}
