/**
 * What a refusal does beyond its own message: by its rule, else by its class. Pure.
 *
 * What is about one recipient or one message slows nobody. Less is asked by the destination, so all of it slows; credentials are the
 * transport's; policy is about who sends. Whoever names a time when asking for less gets it, exactly.
 */
import type { ReplyClass, ReplyEffect } from './contract.ts';
import { tailName } from './destination-key.ts';

const minuteMs = 60_000;

/** Every action ends. */
export const shortestEffectMs = 1_000;
export const longestEffectMs = 24 * 60 * minuteMs;

const effectByClass: Readonly<Record<ReplyClass, ReplyEffect>> = {
  address: { action: 'none', scope: 'recipient' },
  transient: { action: 'none', scope: 'recipient' },
  message: { action: 'none', scope: 'recipient' },
  throttled: { action: 'slow', scope: 'destination' },
  policy: { action: 'pause_sender', scope: 'sender', durationMs: 60 * minuteMs },
  account: { action: 'rest', scope: 'transport', durationMs: 5 * minuteMs },
};

export interface EffectReasons {
  readonly replyClass: ReplyClass;
  /** The rule's own, before its class's. */
  readonly rule?: ReplyEffect | undefined;
  /** The time that was named, or is known to be wanted. */
  readonly retryAfterMs?: number | undefined;
}

export function effectOf({ replyClass, rule, retryAfterMs }: EffectReasons): ReplyEffect {
  const effect = rule ?? effectByClass[replyClass];
  const isAboutMany = effect.scope === 'destination' || effect.scope === 'transport';
  if (retryAfterMs === undefined || !isAboutMany || effect.action === 'none') return withDuration(effect);
  if (replyClass !== 'throttled' && effect.action !== 'rest') return withDuration(effect);
  return { action: 'rest', scope: effect.scope, durationMs: bounded(retryAfterMs) };
}

/**
 * The effect at the destination it was said at. Thousands of domains share a bucket of the tail: one of them may slow it a little, but
 * not close it for all. The refused message's own delay (`retryAfterMs`) stays as it is.
 */
export function effectAt(destinationName: string, effect: ReplyEffect): ReplyEffect {
  const isShared = destinationName.startsWith(`${tailName}-`);
  const closesIt = effect.action === 'rest' && effect.scope === 'destination';
  return isShared && closesIt ? { action: 'slow', scope: 'destination' } : effect;
}

function withDuration(effect: ReplyEffect): ReplyEffect {
  if (effect.action === 'none' || effect.action === 'slow') return effect;
  return { ...effect, durationMs: bounded(effect.durationMs ?? 5 * minuteMs) };
}

function bounded(durationMs: number): number {
  return Math.min(Math.max(durationMs, shortestEffectMs), longestEffectMs);
}
