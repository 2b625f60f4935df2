/** What a grant's end says of its messages, as counts: a span per message would cost more than the message. Pure. */
import type { Attributes } from '@opentelemetry/api';
import type { EndedGrant } from '../ledger/end-grant.ts';
import { type DeliveryState, deliveryStateNames } from '../ledger/states.ts';

/** States in which a message is done with, or in doubt: by how many the chunk has more of each than before. */
const ends = deliveryStateNames.filter((state) => !isOnItsWay(state));

/** `sluice.outcome.*`: what this grant moved. `sluice.chunk.*`: what is left of its chunk, for grants to come. */
export function outcomeAttributes({ wasOurs, moved }: EndedGrant): Attributes {
  return { 'sluice.grant.end': wasOurs ? 'ended' : 'lost', ...(moved && countsOf(moved)) };
}

function countsOf({ before, counts }: NonNullable<EndedGrant['moved']>): Attributes {
  const moved = ends.map((state) => [`sluice.outcome.${state}`, counts[state] - before[state]] as const);
  return {
    ...Object.fromEntries(moved.filter(([, n]) => n !== 0)),
    'sluice.chunk.pending': counts.pending,
    'sluice.chunk.deferred': counts.deferred,
  };
}

function isOnItsWay(state: DeliveryState): boolean {
  return state === 'pending' || state === 'attempting' || state === 'deferred';
}
