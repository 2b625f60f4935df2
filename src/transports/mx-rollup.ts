/**
 * Destinations of companies' own domains, by whose servers take their mail: most are hosted by a few providers, and limits are the provider's.
 *
 * Only where a resolver is configured; off, and whenever it doesn't answer in time, the table of consumer domains and the hashed tail decide
 * (`destination-key.ts`). An answer moves a domain between destinations at most once an hour, and only for messages that aren't planned yet.
 */
import { Resolver } from 'node:dns/promises';
import { LRUCache } from 'lru-cache';
import { type DestinationMode, destinationOf } from './destination-key.ts';
import { providerOfMxHost } from './mx-providers.ts';
import { providerOf } from './provider-domains.ts';

/** MX hosts of a domain, the preferred one first. Throws when it isn't known. */
export type ResolveMx = (domain: string) => Promise<readonly string[]>;

export interface MxRollup {
  /**
   * Looks up those domains that no table knows, within `batchMs` all together, so that `destinationOf` knows them. Never throws: what was not
   * answered in time falls back to the tail.
   */
  prepare(domains: Iterable<string>): Promise<void>;
  /** Sync, from what is known. */
  destinationOf(mode: DestinationMode, domain: string): string;
}

/** Without a resolver: the tables alone. */
export const tablesOnly: MxRollup = { prepare: async () => undefined, destinationOf };

export interface MxRollupOptions {
  readonly resolveMx: ResolveMx;
  /** One look-up. */
  readonly lookupMs?: number;
  /** All look-ups of one page. */
  readonly batchMs?: number;
  readonly concurrency?: number;
  readonly now?: () => number;
}

const mostDomains = 50_000;
const knownMs = 3_600_000;
const unknownMs = 300_000;

export function createMxRollup(options: MxRollupOptions): MxRollup {
  const {
    resolveMx,
    lookupMs = 2_000,
    batchMs = 3_000,
    concurrency = 64,
    now = () => performance.now(),
  } = options;
  /** Empty: no provider that we know. */
  const providers = new LRUCache<string, string>({ max: mostDomains, perf: { now }, ttlResolution: 0 });
  let unanswered = 0;

  async function lookUp(domain: string): Promise<void> {
    try {
      const provider = providerOfHosts(await inTime(resolveMx(domain), lookupMs));
      providers.set(domain, provider, { ttl: knownMs });
      unanswered = 0;
    } catch (error) {
      providers.set(domain, '', { ttl: unknownMs });
      unanswered = isAnswer(error) ? 0 : unanswered + 1;
    }
  }

  /** A resolver that is down costs a page one round of look-ups, and not one for each domain. */
  async function work(queue: string[], endsAt: number): Promise<void> {
    for (let domain = queue.pop(); domain !== undefined; domain = queue.pop()) {
      if (now() >= endsAt || unanswered >= concurrency) return;
      await lookUp(domain);
    }
  }

  return {
    async prepare(domains) {
      unanswered = 0;
      const queue = [...new Set([...domains].map((domain) => domain.toLowerCase()))].filter(
        (domain) => providerOf(domain) === undefined && !providers.has(domain),
      );
      const endsAt = now() + batchMs;
      await Promise.all(Array.from({ length: concurrency }, () => work(queue, endsAt)));
    },
    destinationOf(mode, domain) {
      const provider = mode === 'provider' ? providers.get(domain.toLowerCase()) : undefined;
      return provider ? provider : destinationOf(mode, domain);
    },
  };
}

/** `system`, or the server at `host:port`, asked over UDP; its answers are trusted as far as an MX record goes: they choose a name from our own table. */
export function resolverOf(server: string, timeoutMs = 2_000): ResolveMx {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  if (server !== 'system') resolver.setServers([server]);
  return async (domain) => {
    const records = await resolver.resolveMx(domain);
    return records.toSorted((a, b) => a.priority - b.priority).map(({ exchange }) => exchange);
  };
}

function providerOfHosts(hosts: readonly string[]): string {
  return hosts.map(providerOfMxHost).find((provider) => provider !== undefined) ?? '';
}

/** It has no MX, or doesn't exist: the resolver is well. */
function isAnswer(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'ENODATA' || code === 'ENOTFOUND';
}

/** The look-up itself is left to end. */
function inTime<T>(looking: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not answered in time')), ms);
    looking.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
