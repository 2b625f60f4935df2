/** Hands one message to a courier, counts what became of it, and passes on what that says of the destination. */
import type { PaceFeed } from '../pacing/pace-feed.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Courier, OutboundMessage, Outcome } from '../transports/contract.ts';
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

export type NextMessage = () => Outgoing | undefined;

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

  /** `next`: whom the courier is to hand over next, if it can be told by the end of this message. Such a one may be lost with its courier before its turn. */
  async deliver(courier: Courier, outgoing: Outgoing, next: NextMessage): Promise<Outcome> {
    const { metrics, budget } = this.#options;
    const wasUsable = courier.isUsable;
    const stopTimer = metrics.deliverSeconds.startTimer();
    this.#onWire++;
    budget.departs();
    const outcome = await this.#tryDeliver(courier, outgoing, next);
    budget.hasLeft();
    this.#onWire--;
    stopTimer();
    // A connection that was gone before has been heard of, or went as an idle one does.
    this.#teach(outcome, wasUsable && !courier.isUsable);
    return outcome;
  }

  count(outcome: Outcome): void {
    const { metrics } = this.#options;
    metrics.outcomes.inc({ outcome: outcome.kind, class: 'class' in outcome ? outcome.class : '' });
  }

  /** A throw is a bug, and says nothing about what has left: the message is in doubt. */
  async #tryDeliver(courier: Courier, outgoing: Outgoing, next: NextMessage): Promise<Outcome> {
    const { clock, log } = this.#options;
    const { run } = outgoing;
    const mayStart = () => run.isTrusted(clock.monotonic());
    try {
      const [outcome] = await courier.deliver([toOutbound(outgoing)], mayStart, () => {
        const announced = next();
        return announced && toOutbound(announced);
      });
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

function toOutbound({ run, message }: Outgoing): OutboundMessage {
  return { compiled: run.compiled, rendered: message };
}

function isOfTransport(outcome: Outcome): boolean {
  return 'effect' in outcome && outcome.effect?.scope === 'transport';
}
