/** Why a destination is not served faster, in one sentence with its figures: for the API and the command line. */
import type { DestinationLimits, LimitingRule, Pace } from './pace.ts';

type Explain = (pace: Pace, limits: DestinationLimits) => string;

const sentences: Record<LimitingRule, Explain> = {
  none: (pace) => `Nothing holds it back but how fast it answers: ${rate(pace.measuredPerSecond)} now.`,
  growing: (pace) =>
    `It is being tried out: ${count(pace.windowMessages)} may be under way, and more as they are answered (${rate(pace.measuredPerSecond)} now).`,
  slow: (pace) =>
    `It answers slowly (${rate(pace.measuredPerSecond)}), so only ${count(pace.windowMessages)} may be under way.`,
  learnt_rate: (pace) =>
    `It asked for less: ${rate(pace.learntPerSecond ?? 0)} is what it puts up with, and that is raised as long as it does.`,
  configured_rate: (_, limits) => `Its transport allows ${rate(limits.perSecond ?? 0)}.`,
  breaker: (pace) =>
    pace.breaker === 'half_open'
      ? 'Connections to it failed: one message is trying whether they work again.'
      : `Connections to it fail: it is tried again ${inTime(pace.closedForMs)}.`,
  rest: (pace) => `It asked to be left alone: it is tried again ${inTime(pace.closedForMs)}.`,
  quota: (_, limits) =>
    (limits.perDay ?? 0) > 0
      ? `Its quota of today is nearly used up: ${count(limits.perDay ?? 0)} left.`
      : 'Its quota of today is used up; it goes on at midnight UTC.',
  ceiling: (pace) =>
    `${count(pace.windowMessages)} may be under way, the most of any destination (DISPATCH_WINDOW_MESSAGES).`,
};

/** `limits` as the leader has them: `perDay` is what is left of today. */
export function explain(pace: Pace, limits: DestinationLimits): string {
  return sentences[pace.limitedBy](pace, limits);
}

function rate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 1) return `${count(perSecond * 60)} a minute`;
  return `${count(perSecond)} a second`;
}

function count(messages: number): string {
  return `${figure(messages)} ${messages === 1 ? 'message' : 'messages'}`;
}

function figure(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: n < 10 ? 1 : 0 });
}

function inTime(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds <= 0) return 'now';
  if (seconds < 120) return `in ${seconds} s`;
  return seconds < 7_200 ? `in ${Math.round(seconds / 60)} min` : `in ${Math.round(seconds / 3_600)} h`;
}
