/**
 * Rates, shared by the fleet: GCRA buckets in Redis, several per call, many messages per call, Redis's clock.
 *
 * GCRA keeps one number, the theoretical arrival time of the next message. A message needs a token of every bucket it counts against (its
 * destination, transport, tenant and campaign): as many are granted as the poorest has, and all pay for just these. A bucket that was
 * lost starts cold: no burst, so that losing Redis never means a flood.
 *
 * On one Redis that is one call. A tenant's bucket is shared by all its destinations, so of a cluster a message's buckets may lie in several slots: they are then asked one
 * after the other, the slowest first, each for what the others gave, and what they gave too much is given back. If we die in between, tokens are lost: never one too many.
 */
import type { Clock } from '../platform/clock.ts';
import { groupBy } from '../platform/group-by.ts';
import type { Log } from '../platform/log.ts';
import type { RedisClient } from '../platform/redis.ts';
import { homeOf } from '../platform/redis-homes.ts';
import { createHomeRateGate, type HomeRateGate } from './home-rate-gate.ts';

/** A limit that messages count against. Names: d:<destinationId>, t:<transportId>, n:<tenantId>, c:<campaignId>. */
export interface Bucket {
  readonly name: string;
  readonly perSecond: number;
}

export interface Tokens {
  /** Messages that may start within the next second: at most what was asked for. */
  readonly granted: number;
  /** ms until the next one, when fewer were granted than asked for; else 0. */
  readonly waitMs: number;
  /** The name of the bucket that is waited for. */
  readonly limitedBy?: string;
}

export interface RateGate {
  /** Never throws. Tokens that are not used are lost: ask for what is there to be sent. */
  take(buckets: readonly Bucket[], wanted: number): Promise<Tokens>;
}

export interface RateGateOptions {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly clock: Clock;
  /** Send workers alive, by the last count: a worker's share while Redis is away. */
  readonly workers: () => number;
  readonly log: Log;
}

export function createRateGate(options: RateGateOptions): RateGate {
  const { redis, prefix } = options;
  const gates = new Map<string, HomeRateGate>();

  function gateOf(home: string): HomeRateGate {
    const gate = gates.get(home) ?? createHomeRateGate(options, home);
    gates.set(home, gate);
    return gate;
  }

  return {
    async take(buckets, wanted) {
      if (buckets.length === 0 || wanted === 0) return { granted: wanted, waitMs: 0 };
      const slowestFirst = buckets.toSorted((a, b) => a.perSecond - b.perSecond);
      const byHome = groupBy(slowestFirst, ({ name }) => homeOf(redis, prefix, name));
      return takeInTurn(
        [...byHome].map(([home, some]) => ({ gate: gateOf(home), buckets: some })),
        wanted,
      );
    },
  };
}

async function takeInTurn(
  parts: readonly { readonly gate: HomeRateGate; readonly buckets: readonly Bucket[] }[],
  wanted: number,
): Promise<Tokens> {
  let least: Tokens = { granted: wanted, waitMs: 0 };
  const given: (() => void)[] = [];
  for (const { gate, buckets } of parts) {
    if (least.granted === 0) break;
    const tokens = await gate.take(buckets, least.granted);
    if (tokens.granted < least.granted) least = tokens;
    given.push(() => {
      if (tokens.granted > least.granted) gate.giveBack(buckets, tokens.granted - least.granted);
    });
  }
  for (const settle of given) settle();
  return least;
}
