/** Does this process reach its Redis: the API runs on without it, so that its readiness can't tell. */
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';
import { assertServing, type RedisClient } from './redis.ts';

/** Less than a scrape may take. */
const patienceMs = 2_000;

/** One PING for each scrape. */
export function createRedisMetric(registry: Metrics, redis: RedisClient): void {
  new Gauge({
    name: 'sluice_redis_up',
    help: '1 while the process reaches its Redis, else 0',
    registers: [registry],
    async collect() {
      this.set((await isServing(redis)) ? 1 : 0);
    },
  });
}

/** Never connects: that is the platform's. A Redis that hangs is away. */
async function isServing(redis: RedisClient): Promise<boolean> {
  if (redis.status !== 'ready') return false;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, patienceMs, false);
  });
  const answer = assertServing(redis).then(
    () => true,
    () => false,
  );
  const isUp = await Promise.race([answer, patience]);
  clearTimeout(timer);
  return isUp;
}
