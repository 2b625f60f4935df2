/**
 * The states of chunks and deliveries, and which may follow which. Numbers are what the tables store; they are never
 * reused for another meaning.
 */

export const chunkStates = { pending: 0, dispatched: 1, leased: 2, done: 3 } as const;
export type ChunkState = keyof typeof chunkStates;

export const deliveryStates = {
  pending: 0,
  attempting: 1,
  sent: 2,
  bounced: 3,
  deferred: 4,
  in_doubt: 5,
  suppressed: 6,
  skipped: 7,
  cancelled: 8,
  expired: 9,
} as const;
export type DeliveryState = keyof typeof deliveryStates;

export const deliveryStateNames = Object.keys(deliveryStates) as readonly DeliveryState[];

export function deliveryStateName(code: number): DeliveryState {
  const name = deliveryStateNames[code];
  if (name === undefined) throw new RangeError(`no delivery state ${code}`);
  return name;
}

/** What may follow each state. `attempting -> pending` only when nothing was transmitted. */
export const deliveryTransitions: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  // Feedback may tell the end of a copy that was in doubt before `resend` made it pending (and then perhaps deferred).
  pending: ['attempting', 'suppressed', 'skipped', 'cancelled', 'expired', 'sent', 'bounced'],
  attempting: ['sent', 'bounced', 'deferred', 'in_doubt', 'pending'],
  deferred: ['attempting', 'suppressed', 'skipped', 'cancelled', 'expired', 'sent', 'bounced'],
  in_doubt: ['sent', 'bounced', 'deferred', 'pending'],
  // A bounce may arrive by mail long after a relay accepted the message.
  sent: ['bounced'],
  bounced: [],
  suppressed: [],
  skipped: [],
  cancelled: [],
  expired: [],
};

/** A chunk is done when every one of its deliveries is in one of these. */
export const settledStates: readonly DeliveryState[] = [
  'sent',
  'bounced',
  'suppressed',
  'skipped',
  'cancelled',
  'expired',
];

export const deliveryClasses = { transactional: 0, flow: 1, campaign: 2 } as const;
export type DeliveryClass = keyof typeof deliveryClasses;

export function deliveryClassName(code: number): DeliveryClass {
  const name = (Object.keys(deliveryClasses) as DeliveryClass[])[code];
  if (name === undefined) throw new RangeError(`no delivery class ${code}`);
  return name;
}

/** Deliveries by state; every state is present. */
export type StateCounts = Readonly<Record<DeliveryState, number>>;
