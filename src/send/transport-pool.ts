/**
 * The senders of all transports in use, one each. A transport that was changed gets a new sender within a second: the
 * old one finishes what is on the wire, and the rest of its grants goes back to pending.
 */
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Transport } from '../transports/contract.ts';
import type { TransportSender } from './transport-sender.ts';

/** A transport as configured now. */
export interface OpenedTransport {
  readonly transport: Transport;
  readonly version: number;
  /** Messages a second for the whole fleet; undefined: no limit. */
  readonly perSecond: number | undefined;
}

/** Where transports come from; wired to their settings. */
export interface TransportSource {
  /** Undefined when it was deleted or can't be opened. */
  open(transportId: number): Promise<OpenedTransport | undefined>;
  readVersions(transportIds: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

export interface TransportPool extends Lifecycle {
  /** `gone`: it was deleted or can't be set up. `stopping`: this process ends, others go on. */
  get(transportId: number): Promise<TransportSender | 'gone' | 'stopping'>;
  /** Ends all sending; what is on the wire longer than this is cut off (`TransportSender.stop`). */
  stopSenders(cutAfterMs: number): Promise<void>;
}

interface Entry {
  readonly version: number;
  readonly sender: TransportSender;
}

const checkEveryMs = 1_000;

export interface TransportPoolOptions {
  readonly source: TransportSource;
  readonly log: Log;
  readonly createSender: (transportId: number, opened: OpenedTransport) => TransportSender;
}

export function createTransportPool({ source, log, createSender }: TransportPoolOptions): TransportPool {
  const entries = new Map<number, Promise<Entry | undefined>>();
  const retiring = new Set<TransportSender>();
  let isStopping = false;

  async function openEntry(transportId: number): Promise<Entry | undefined> {
    const opened = await source.open(transportId);
    return opened && { version: opened.version, sender: createSender(transportId, opened) };
  }

  function retire(transportId: number, sender: TransportSender): void {
    entries.delete(transportId);
    retiring.add(sender);
    void sender.stop().finally(() => retiring.delete(sender));
  }

  async function retireChanged(): Promise<'idle'> {
    if (entries.size === 0) return 'idle';
    const versions = await source.readVersions([...entries.keys()]);
    for (const [transportId, opening] of [...entries]) {
      const entry = await opening.catch(() => undefined);
      if (entry && versions.get(transportId) !== entry.version) {
        log.info({ transportId }, 'transport changed: new connections');
        retire(transportId, entry.sender);
      }
    }
    return 'idle';
  }

  const loop = createLoop({ name: 'transports', log, idleMs: checkEveryMs, pass: retireChanged });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    async get(transportId) {
      if (isStopping) return 'stopping';
      let opening = entries.get(transportId);
      if (!opening) {
        opening = openEntry(transportId);
        entries.set(transportId, opening);
        const forgetUnlessOpen = (entry?: Entry) => entry ?? entries.delete(transportId);
        opening.then(forgetUnlessOpen, () => forgetUnlessOpen());
      }
      return (await opening)?.sender ?? 'gone';
    },
    async stopSenders(cutAfterMs) {
      isStopping = true;
      for (const [transportId, opening] of [...entries]) {
        const entry = await opening.catch(() => undefined);
        if (entry) retire(transportId, entry.sender);
      }
      await Promise.all([...retiring].map((sender) => sender.stop(cutAfterMs)));
    },
  };
}
