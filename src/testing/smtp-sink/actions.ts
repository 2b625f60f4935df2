import { domainOf } from './commands.ts';
import type { Verdict } from './conversation.ts';
import type { House } from './house.ts';
import { refusalFor } from './providers.ts';
import { formatReply, garbage } from './replies.ts';
import type { Action, Refusal, RuleState } from './rule.ts';
import type { Wire } from './wire.ts';

const GARBAGE_BYTES = 64;

type Act<Do extends Action['do']> = Extract<Action, { do: Do }>;

/** The dialogue a rule acts in. */
export interface Scene {
  readonly house: House;
  readonly wire: Wire;
  /** The usual way: the command takes effect and is answered. */
  settle(verdict: Verdict): void;
  /** What comes after an accepted command and its reply. */
  follow(verdict: Verdict): void;
  /** Stops looking at input until the function it answers is called; that runs `then` and goes on. */
  hold(then: () => void): () => void;
  /** The dialogue is held by the rule until someone lets it go on. */
  stalled(ruleId: string, goOn: () => void): void;
  /** Answers the next bytes, whenever they come, with these, and listens no more. */
  goDeaf(lastWords: string): void;
}

/** Does what a rule says in place of the usual reply. */
export function perform(scene: Scene, rule: RuleState['rule'], verdict: Verdict): void {
  const { action } = rule;
  scene.house.rules.fired(rule.id);
  switch (action.do) {
    case 'reply':
      after(scene, action.delayMs, () => replyWith(scene, action, verdict));
      break;
    case 'say':
      after(scene, action.delayMs, () => refuseAsProvider(scene, action.refusal, verdict));
      break;
    case 'delay':
      after(scene, action.ms, () => scene.settle(verdict));
      break;
    case 'stall':
      stall(scene, { ruleId: rule.id, takesEffect: action.takesEffect === true }, verdict);
      break;
    case 'drip':
      sayInPieces(scene, { sizes: [1], gapMs: action.everyMs }, verdict);
      break;
    case 'split':
      sayInPieces(scene, { sizes: action.sizes, gapMs: action.gapMs ?? 1 }, verdict);
      break;
    default:
      after(scene, action.delayMs, () => misbehave(scene, action, verdict));
  }
}

/** A refusal in the words of the provider that the recipient belongs to. */
export function refuseAsProvider(scene: Scene, refusal: Refusal, verdict: Verdict): void {
  const to = verdict.addresses?.[0] ?? '';
  replyWith(scene, refusalFor(scene.house.gate.providerOf(domainOf(to)), refusal, to), verdict);
}

function after(scene: Scene, ms: number | undefined, then: () => void): void {
  if (ms === undefined || ms === 0) {
    then();
  } else {
    scene.wire.flush();
    scene.wire.later(ms, scene.hold(then));
  }
}

function replyWith(
  scene: Scene,
  { code, text, close = code === 421 }: { code: number; text: string; close?: boolean },
  verdict: Verdict,
): void {
  const isAccepted = verdict.stage === 'data' ? code === 354 : code < 300;
  if (isAccepted) verdict.effect?.();
  scene.wire.say(formatReply(code, text));
  if (close) scene.wire.hangUp();
  else if (isAccepted) scene.follow(verdict);
}

function stall(scene: Scene, how: { ruleId: string; takesEffect: boolean }, verdict: Verdict): void {
  const { effect, ...withoutEffect } = verdict;
  if (how.takesEffect) effect?.();
  const goOn = scene.hold(() => scene.settle(how.takesEffect ? withoutEffect : verdict));
  scene.stalled(how.ruleId, goOn);
}

function sayInPieces(scene: Scene, cut: { sizes: readonly number[]; gapMs: number }, verdict: Verdict): void {
  verdict.effect?.();
  scene.wire.flush();
  const goOn = scene.hold(() => scene.follow(verdict));
  scene.wire.split(verdict.reply, cut, goOn);
}

function misbehave(
  scene: Scene,
  action: Act<'hangup' | 'reset' | 'garbage' | 'raw'>,
  { stage, effect }: Verdict,
): void {
  if (action.takesEffect) effect?.();
  if (action.do === 'hangup') scene.wire.hangUp();
  else if (action.do === 'reset') scene.wire.reset();
  // A spoilt handshake answers the client's hello; anything earlier would be read with the 220.
  else if (stage === 'tls') scene.goDeaf(nonsense(scene, action));
  else scene.wire.say(nonsense(scene, action));
}

function nonsense({ house }: Scene, action: Act<'garbage' | 'raw'>): string {
  return action.do === 'raw' ? action.bytes : garbage(house.random, action.bytes ?? GARBAGE_BYTES);
}
