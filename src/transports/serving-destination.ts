/** A transport for one destination: what its refusals do to others is bounded by who shares that destination (`effectAt`). */
import type { Courier, OpenResult, Outcome, Transport } from './contract.ts';
import { effectAt } from './reply-effect.ts';

export function servingDestination(transport: Transport, destination: string | undefined): Transport {
  if (destination === undefined) return transport;
  const bounded = async (): Promise<OpenResult> => {
    const opened = await transport.open();
    return opened.kind === 'open'
      ? { kind: 'open', courier: servingCourier(opened.courier, destination) }
      : opened;
  };
  return { capabilities: transport.capabilities, open: bounded };
}

function servingCourier(courier: Courier, destination: string): Courier {
  return {
    get isUsable() {
      return courier.isUsable;
    },
    async deliver(messages, mayStart, next) {
      const outcomes = await courier.deliver(messages, mayStart, next);
      return outcomes.map((outcome) => outcomeAt(destination, outcome));
    },
    close: () => courier.close(),
  };
}

function outcomeAt(destination: string, outcome: Outcome): Outcome {
  if (!('effect' in outcome) || outcome.effect === undefined) return outcome;
  const effect = effectAt(destination, outcome.effect);
  return effect === outcome.effect ? outcome : { ...outcome, effect };
}
