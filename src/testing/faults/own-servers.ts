/** A MySQL and a Redis of a suite's own. They are stopped when what is built on them can't be, and at the latest when this process ends. */
import type { KillableServer } from './killable-server.ts';
import { startMysqlServer } from './mysql-server.ts';
import { startRedisServer } from './redis-server.ts';
import { type Instance, loadServiceScripts } from './service-scripts.ts';

export interface OwnServers {
  readonly instance: Instance;
  readonly mysql: KillableServer;
  readonly redis: KillableServer;
  readonly freePort: () => Promise<number>;
  stop(): Promise<void>;
}

export async function withOwnServers<T>(
  label: string,
  build: (servers: OwnServers) => Promise<T>,
): Promise<T> {
  const scripts = await loadServiceScripts();
  const instance = scripts.openInstance(label);
  const closeNow = () => instance.closeNow();
  process.once('exit', closeNow);
  const stop = async () => {
    await instance.close();
    process.off('exit', closeNow);
  };
  try {
    const [mysql, redis] = await Promise.all([
      startMysqlServer(scripts, instance),
      startRedisServer(scripts, instance),
    ]);
    return await build({ instance, mysql, redis, freePort: scripts.freePort, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}
