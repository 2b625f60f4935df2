/**
 * The senders of all destinations in use, one each. A transport that was changed gets new senders within a second: the
 * old ones finish what is on the wire, and the rest of their grants goes back to pending. A sender without work is let go.
 */
import type { ConnectionSlots } from '../pacing/connection-slots.ts';
import type { DestinationLimits } from '../pacing/pace.ts';
import type { PaceFeed } from '../pacing/pace-feed.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import { placeFields } from '../tracing/chunk-names.ts';
import type { Transport } from '../transports/contract.ts';
import type { DestinationSender } from './destination-sender.ts';

export interface Place {
  readonly transportId: number;
  readonly destinationId: number;
}

/** A destination's transport as configured now. */
export interface OpenedTransport {
  readonly transport: Transport;
  readonly version: number;
  /** Messages a second over all of its destinations and for the whole fleet; undefined: no limit. */
  readonly perSecond: number | undefined;
  /** What holds at this destination. */
  readonly limits: DestinationLimits;
}

/** Where transports come from; wired to their settings. */
export interface TransportSource {
  /** Undefined when it was deleted or can't be opened. */
  open(place: Place): Promise<OpenedTransport | undefined>;
  readVersions(transportIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

export interface SenderPool extends Lifecycle {
  /** `gone`: its transport was deleted or can't be set up. `stopping`: this process ends, others go on. */
  get(place: Place): Promise<DestinationSender | 'gone' | 'stopping'>;
  /** Ends all sending; what is on the wire longer than this is cut off (`DestinationSender.stop`). */
  stopSenders(cutAfterMs: number): Promise<void>;
}

interface Entry {
  readonly transportId: number;
  readonly version: number;
  readonly sender: DestinationSender;
  usedAt: number;
}

const checkEveryMs = 1_000;
const letGoAfterMs = 60_000;

export interface SenderPoolOptions {
  readonly source: TransportSource;
  readonly log: Log;
  readonly pace: PaceFeed;
  readonly slots: ConnectionSlots;
  readonly now: () => number;
  /** `siblings`: the destinations of its transport that have a sender now. */
  readonly createSender: (
    place: Place,
    opened: OpenedTransport,
    siblings: () => readonly number[],
  ) => DestinationSender;
}

export function createSenderPool(options: SenderPoolOptions): SenderPool {
  const { source, log, pace, slots, now, createSender } = options;
  const opening = new Map<number, Promise<Entry | undefined>>();
  const open = new Map<number, Entry>();
  const retiring = new Set<DestinationSender>();
  let isStopping = false;

  async function openEntry(place: Place): Promise<Entry | undefined> {
    const { destinationId, transportId } = place;
    try {
      const opened = await source.open(place);
      if (!opened) return undefined;
      const entry = {
        transportId,
        version: opened.version,
        sender: createSender(place, opened, () => siblingsOf(transportId)),
        usedAt: now(),
      };
      open.set(destinationId, entry);
      return entry;
    } finally {
      opening.delete(destinationId);
    }
  }

  function siblingsOf(transportId: number): readonly number[] {
    return [...open]
      .filter(([, entry]) => entry.transportId === transportId)
      .map(([destinationId]) => destinationId);
  }

  function retire(destinationId: number, { sender }: Entry): void {
    open.delete(destinationId);
    retiring.add(sender);
    void sender.stop().finally(() => retiring.delete(sender));
  }

  async function retireChanged(): Promise<'idle'> {
    if (open.size === 0) return 'idle';
    const versions = await source.readVersions([
      ...new Set([...open.values()].map((entry) => entry.transportId)),
    ]);
    for (const [destinationId, entry] of [...open]) {
      if (!entry.sender.isIdle) entry.usedAt = now();
      const isChanged = versions.get(entry.transportId) !== entry.version;
      if (isChanged) log.info(placeFields({ ...entry, destinationId }), 'transport changed: new connections');
      if (isChanged || now() - entry.usedAt > letGoAfterMs) retire(destinationId, entry);
    }
    return 'idle';
  }

  pace.onPace((destinationId, learnt) => open.get(destinationId)?.sender.heedPace(learnt));
  slots.onChange((destinationId) => open.get(destinationId)?.sender.heedAllowance());
  const loop = createLoop({ name: 'transports', log, idleMs: checkEveryMs, pass: retireChanged });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    async get(place) {
      if (isStopping) return 'stopping';
      const { destinationId } = place;
      let coming = opening.get(destinationId);
      if (!open.has(destinationId) && !coming) {
        coming = openEntry(place);
        opening.set(destinationId, coming);
      }
      const entry = open.get(destinationId) ?? (await coming);
      if (!entry) return 'gone';
      entry.usedAt = now();
      return isStopping ? 'stopping' : entry.sender;
    },
    async stopSenders(cutAfterMs) {
      isStopping = true;
      await Promise.allSettled(opening.values());
      for (const [destinationId, entry] of [...open]) retire(destinationId, entry);
      await Promise.all([...retiring].map((sender) => sender.stop(cutAfterMs)));
    },
  };
}
