import type { Clock } from '../../platform/clock.ts';
import { domainOf } from './commands.ts';
import { ProviderSeries, type SeriesSlot } from './provider-series.ts';
import { generic, type Provider, providers } from './providers.ts';
import type { Refusal } from './rule.ts';

/** What a provider puts up with. What is left out has no limit. All may be changed while the sink runs. */
export interface ProviderLimits {
  /** `gmail`, `yahoo`, ... of providers.ts, or a name of your own together with `domains`. */
  readonly name: string;
  /** Its recipients' domains; `*` takes all that no other provider has. Left out, those of the known provider. */
  readonly domains?: readonly string[];
  /** Connections open at once that last named one of its recipients; more get `tooManyConnections`. */
  readonly maxConnections?: number;
  /** Recipients a second; more get `tooFast`. */
  readonly messagesPerSecond?: number;
  /** How many may come at once after a pause. Default: one second's worth, at least 1. */
  readonly burst?: number;
  /** After so many recipients on one connection the next gets `tooManyConnections`, and 421 closes it. */
  readonly messagesPerConnection?: number;
}

export interface ProviderCounts {
  /** Recipients named, refused ones included. */
  readonly attempts: number;
  readonly refusedTooFast: number;
  readonly refusedTooManyConnections: number;
  readonly openConnections: number;
  readonly maxOpenConnections: number;
}

interface Played {
  readonly provider: Provider;
  limits: ProviderLimits;
  tokens: number;
  filledAt: number;
  readonly open: Map<number, number>;
  attempts: number;
  refusedTooFast: number;
  refusedTooManyConnections: number;
  maxOpen: number;
}

/** Who plays which domain, and the limits each keeps. All providers share the sink's one port, so a connection belongs to the last one it named. */
export class ProviderGate {
  readonly #clock: Clock;
  readonly #played = new Map<string, Played>();
  readonly #byDomain = new Map<string, Played>();
  readonly #heldBy = new Map<number, Played>();
  readonly #series: ProviderSeries;
  #others: Played;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#series = new ProviderSeries(() => clock.now());
    this.#others = this.#play(generic);
    for (const provider of providers) this.#play(provider);
  }

  /** Sets all limits of one provider; its counts stay. A first rate starts with a full bucket, a changed one with what is left. */
  limit(limits: ProviderLimits): void {
    const known = this.#played.get(limits.name);
    const domains = limits.domains ?? known?.provider.domains ?? [];
    const played = known ?? this.#play({ ...generic, name: limits.name, domains });
    const hadRate = played.limits.messagesPerSecond !== undefined;
    played.limits = limits;
    played.tokens = hadRate ? Math.min(played.tokens, bucketSize(limits)) : bucketSize(limits);
    if (!hadRate) played.filledAt = this.#clock.monotonic();
    for (const domain of domains) this.#assign(domain.toLowerCase(), played);
  }

  providerOf(domain: string): Provider {
    return this.#of(domain).provider;
  }

  /** A recipient is named on a connection: counts it, and says why its provider won't have it. */
  admit(connectionId: number, address: string): Refusal | undefined {
    const played = this.#of(domainOf(address));
    played.attempts++;
    const refusal = this.#refusal(connectionId, played);
    this.#series.attempted(played.provider.name, played.open.size, refusal);
    return refusal;
  }

  /** A message to this address was taken. */
  accepted(address: string): void {
    this.#series.accepted(this.#of(domainOf(address)).provider.name);
  }

  /** By provider, from `sinceMs` (wall clock) on. */
  series(sinceMs: number): Readonly<Record<string, readonly SeriesSlot[]>> {
    return this.#series.since(sinceMs);
  }

  #refusal(connectionId: number, played: Played): Refusal | undefined {
    if (!this.#hold(connectionId, played)) {
      played.refusedTooManyConnections++;
      return 'tooManyConnections';
    }
    if (takeToken(played, this.#clock.monotonic())) return undefined;
    played.refusedTooFast++;
    return 'tooFast';
  }

  leave(connectionId: number): void {
    this.#heldBy.get(connectionId)?.open.delete(connectionId);
    this.#heldBy.delete(connectionId);
  }

  counts(): Readonly<Record<string, ProviderCounts>> {
    const used = [...this.#played].filter(([, played]) => played.attempts > 0);
    return Object.fromEntries(used.map(([name, played]) => [name, countsOf(played)]));
  }

  #of(domain: string): Played {
    return this.#byDomain.get(domain) ?? this.#others;
  }

  #play(provider: Provider): Played {
    const counts = { attempts: 0, refusedTooFast: 0, refusedTooManyConnections: 0, maxOpen: 0 };
    const played = {
      provider,
      limits: { name: provider.name },
      tokens: 0,
      filledAt: 0,
      open: new Map(),
      ...counts,
    };
    this.#played.set(provider.name, played);
    for (const domain of provider.domains) this.#assign(domain, played);
    return played;
  }

  #assign(domain: string, played: Played): void {
    if (domain === '*') this.#others = played;
    else this.#byDomain.set(domain, played);
  }

  /** Books the connection on the provider; false when the provider has enough of them, or of messages on this one. */
  #hold(connectionId: number, played: Played): boolean {
    const { maxConnections = Infinity, messagesPerConnection = Infinity } = played.limits;
    if (this.#heldBy.get(connectionId) !== played) {
      if (played.open.size >= maxConnections) return false;
      this.leave(connectionId);
      this.#heldBy.set(connectionId, played);
      played.open.set(connectionId, 0);
      played.maxOpen = Math.max(played.maxOpen, played.open.size);
    }
    const messages = (played.open.get(connectionId) ?? 0) + 1;
    played.open.set(connectionId, messages);
    return messages <= messagesPerConnection;
  }
}

function takeToken(played: Played, now: number): boolean {
  const rate = played.limits.messagesPerSecond;
  if (rate === undefined) return true;
  const refill = ((now - played.filledAt) / 1000) * rate;
  played.tokens = Math.min(bucketSize(played.limits), played.tokens + refill);
  played.filledAt = now;
  if (played.tokens < 1) return false;
  played.tokens--;
  return true;
}

function bucketSize({ burst, messagesPerSecond }: ProviderLimits): number {
  return burst ?? Math.max(1, messagesPerSecond ?? 1);
}

function countsOf(played: Played): ProviderCounts {
  const { attempts, refusedTooFast, refusedTooManyConnections, open, maxOpen } = played;
  return {
    attempts,
    refusedTooFast,
    refusedTooManyConnections,
    openConnections: open.size,
    maxOpenConnections: maxOpen,
  };
}
