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

/** Refusals of one sender within a minute before it pauses at a destination that strangers share. */
export const tailRefusals = 20;

/**
 * The effect at the destination it was said at. Thousands of domains share a bucket of the tail: one of them may slow it a little, but
 * neither close it for all nor pause a sender there by itself. Recipients' own delays (`retryAfterMs`) stay as they are.
 */
export function effectAt(destinationName: string, effect: ReplyEffect): ReplyEffect {
  if (!destinationName.startsWith(`${tailName}-`)) return effect;
  if (effect.action === 'rest' && effect.scope === 'destination')
    return { action: 'slow', scope: 'destination' };
  if (effect.action !== 'pause_sender') return effect;
  return { ...effect, afterRefusals: Math.max(effect.afterRefusals ?? 1, tailRefusals) };
}

function withDuration(effect: ReplyEffect): ReplyEffect {
  if (effect.action === 'none' || effect.action === 'slow') return effect;
  return { ...effect, durationMs: bounded(effect.durationMs ?? 5 * minuteMs) };
}

function bounded(durationMs: number): number {
  return Math.min(Math.max(durationMs, shortestEffectMs), longestEffectMs);
}
