/** Hands one message to a courier, counts what became of it, and passes on what that says of the destination. */
import type { PaceFeed } from '../pacing/pace-feed.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Courier, Outcome } from '../transports/contract.ts';
import type { OpenBudget } from './open-budget.ts';
import type { Outgoing } from './outgoing.ts';
import { toPaceEvent } from './pace-events.ts';
import type { SendMetrics } from './send-metrics.ts';

export interface HandOverOptions {
  readonly destinationId: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: OpenBudget;
  readonly pace: PaceFeed;
  readonly metrics: SendMetrics;
  /** The transport's destinations in use here, this one among them: what is said of the account holds for all. */
  readonly siblings: () => readonly number[];
  /** The destination wants less. */
  readonly onThrottled: () => void;
}

export class HandOver {
  readonly #options: HandOverOptions;
  #onWire = 0;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** Messages that couriers have now. */
  get onWire(): number {
    return this.#onWire;
  }

  async deliver(courier: Courier, outgoing: Outgoing): Promise<Outcome> {
    const { metrics, budget } = this.#options;
    const stopTimer = metrics.deliverSeconds.startTimer();
    this.#onWire++;
    budget.departs();
    const outcome = await this.#tryDeliver(courier, outgoing);
    budget.hasLeft();
    this.#onWire--;
    stopTimer();
    this.#teach(outcome, !courier.isUsable);
    return outcome;
  }

  count(outcome: Outcome): void {
    const { metrics } = this.#options;
    metrics.outcomes.inc({ outcome: outcome.kind, class: 'class' in outcome ? outcome.class : '' });
  }

  /** A throw is a bug, and says nothing about what has left: the message is in doubt. */
  async #tryDeliver(courier: Courier, { run, message }: Outgoing): Promise<Outcome> {
    const { clock, log } = this.#options;
    try {
      const outbound = { compiled: run.compiled, rendered: message };
      const [outcome] = await courier.deliver([outbound], () => run.isTrusted(clock.monotonic()));
      if (outcome) return outcome;
      throw new Error('the transport gave no outcome');
    } catch (error) {
      log.error({ err: error, ...run.fields }, 'transport failed');
      return { kind: 'unknown', reply: { code: 0, text: 'the transport failed' } };
    }
  }

  #teach(outcome: Outcome, isBroken: boolean): void {
    const { pace, destinationId, siblings, onThrottled } = this.#options;
    const event = toPaceEvent(outcome, isBroken);
    if (!event) return;
    pace.note(destinationId, event);
    if (event.restMs && isOfTransport(outcome))
      for (const other of siblings()) if (other !== destinationId) pace.note(other, event);
    if (event.kind === 'throttled') onThrottled();
  }
}

function isOfTransport(outcome: Outcome): boolean {
  return 'effect' in outcome && outcome.effect?.scope === 'transport';
}
