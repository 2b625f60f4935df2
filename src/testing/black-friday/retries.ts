/** Deferred messages until they are due again, by the real rules of retrying. */
import { longestRetryMs } from '../../ledger/outcome.ts';
import { toResult } from '../../send/result-policy.ts';
import type { Random } from '../smtp-sink/seeded-random.ts';
import type { Portion } from './lanes.ts';

/** The configuration's defaults: RETRY_FIRST_DELAY_MS, RETRY_STEP_MS. */
const rules = { firstDelayMs: 120_000 };
const retryStepMs = 30_000;

const replies = {
  throttled: { kind: 'deferred', class: 'throttled', reply: { code: 421, text: 'less' } },
  transient: { kind: 'deferred', class: 'transient', reply: { code: 451, text: 'later' } },
} as const;

export class Retries {
  readonly #random: Random;
  /** By the second in which they are due. */
  readonly #due = new Map<number, { readonly destination: number; readonly portion: Portion }[]>();
  #lookedUntil = 0;
  messages = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  defer(destination: number, portion: Portion, why: keyof typeof replies, nowMs: number): void {
    const { retryInMs = 0, backsOff, isAttemptFree } = toResult(0, replies[why], rules, this.#random());
    const made = portion.attempts + 1;
    const delayMs = backsOff
      ? Math.min(retryInMs * 2 ** (Math.min(made, 20) - 1), longestRetryMs)
      : retryInMs;
    // Each chunk at a place of its own within the step (ledger/due.ts): here at any.
    const second = Math.ceil((nowMs + delayMs + this.#random() * retryStepMs) / 1_000);
    const attempts = isAttemptFree ? Math.max(1, portion.attempts) : made;
    const due = this.#due.get(second) ?? [];
    this.#due.set(second, due);
    due.push({ destination, portion: { ...portion, attempts } });
    this.messages += portion.n;
  }

  takeDue(nowMs: number): readonly { readonly destination: number; readonly portion: Portion }[] {
    const taken: { destination: number; portion: Portion }[] = [];
    for (; this.#lookedUntil <= nowMs / 1_000; this.#lookedUntil++) {
      const due = this.#due.get(this.#lookedUntil) ?? [];
      this.#due.delete(this.#lookedUntil);
      for (const one of due) {
        this.messages -= one.portion.n;
        taken.push(one);
      }
    }
    return taken;
  }
}
