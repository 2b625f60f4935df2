/** One message whose intent is committed: it may start, for as long as it is fresh. */
import type { RenderedMessage } from '../render/message.ts';
import type { GrantRun } from './grant-run.ts';

export interface Outgoing {
  readonly run: GrantRun;
  readonly message: RenderedMessage;
  /** Monotonic ms at which the intent was asked for: its checks were made no sooner. */
  readonly intendedAt: number;
  /** Times it was handed over and provably not transmitted. */
  readonly failures: number;
}

/**
 * A pause, a cancellation or a suppression is checked by the intent; a message that does not start within this of it is retracted,
 * so that nothing starts later than 2 s after such a call was answered. The time the ledger takes for the intent is part of it.
 */
export const startWithinMs = 1_500;

export function mayStart(outgoing: Outgoing, now: number): boolean {
  return now - outgoing.intendedAt < startWithinMs && outgoing.run.isTrusted(now);
}

/** How long the message before it may take to be answered. It is announced behind that one only to couriers that are answered sooner (ADR 19). */
const announcedAheadMs = 500;

/** May it be announced behind the one before? Not a second time: one whose connection was lost starts by itself, or it might never. */
export function mayBeAnnounced(outgoing: Outgoing, now: number): boolean {
  return outgoing.failures === 0 && mayStart(outgoing, now + announcedAheadMs);
}
