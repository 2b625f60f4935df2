/**
 * Rates, shared by the fleet: one GCRA bucket per transport in Redis, many messages per call, Redis's clock.
 *
 * GCRA keeps one number, the theoretical arrival time of the next message. A bucket that was lost starts cold: no burst,
 * so that losing Redis never means a flood.
 */
import type { Redis } from 'ioredis';

export interface Tokens {
  /** Messages that may start within the next second: at most what was asked for. */
  readonly granted: number;
  /** When `granted` is 0: ms until the next one. */
  readonly waitMs: number;
}

export interface RateGate {
  take(transportId: number, perSecond: number, wanted: number): Promise<Tokens>;
}

/**
 * In:  KEYS[1] bucket; ARGV[1] interval in µs between messages, ARGV[2] burst in messages, ARGV[3] wanted.
 * Out: {granted, wait in ms}. Rows: one string, expiring once it is full again.
 */
const gcra = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local stored = redis.call('GET', KEYS[1])
local tat = stored and tonumber(stored) or now + (burst - 1) * interval
if tat < now then tat = now end
local free = math.floor((now + burst * interval - tat) / interval)
local granted = math.min(wanted, math.max(free, 0))
tat = tat + granted * interval
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000) + 60000)
local wait = 0
if granted == 0 then wait = math.ceil((tat - now - (burst - 1) * interval) / 1000) end
return {granted, wait}`;

/** How much may come at once: a tenth of a second's worth, at least one. */
const burstSeconds = 0.1;

export function createRateGate(redis: Redis, prefix: string): RateGate {
  return {
    async take(transportId, perSecond, wanted) {
      const interval = 1_000_000 / perSecond;
      const burst = Math.max(1, Math.floor(perSecond * burstSeconds));
      const key = `${prefix}:rate:${transportId}`;
      const [granted, waitMs] = (await redis.eval(gcra, 1, key, interval, burst, wanted)) as [number, number];
      return { granted, waitMs };
    },
  };
}
