import { createKillableServer, type KillableServer } from './killable-server.ts';
import type { Instance, ServerProcess, ServiceScripts } from './service-scripts.ts';

const readyTimeoutMs = 20_000;

export interface RedisServerOptions {
  /** Its name among the servers of the instance. */
  readonly name?: string;
  readonly port?: number;
  /** More of redis.conf, as arguments. */
  readonly settings?: readonly string[];
}

/** A Redis of a suite's own that keeps nothing on disk: it comes back empty. */
export async function startRedisServer(
  scripts: ServiceScripts,
  instance: Instance,
  options: RedisServerOptions = {},
): Promise<KillableServer> {
  const { name = 'redis', settings = [] } = options;
  const program = await scripts.findProgram('redis');
  const port = options.port ?? (await scripts.freePort());
  const folder = options.name ? instance.emptyFolder(name) : instance.folder;
  const args = [...basics(port, folder), ...settings];
  const launch = () => scripts.launch(name, instance, { ...program, args });
  const waitUntilReady = (server: ServerProcess) =>
    scripts.waitUntilReady(() => scripts.pingRedis({ host: '127.0.0.1', port }), {
      timeoutMs: readyTimeoutMs,
      isHopeless: () => !server.isRunning,
    });
  const launched = launch();
  await waitUntilReady(launched);
  return createKillableServer({
    url: `redis://127.0.0.1:${port}`,
    port,
    launched,
    relaunch: launch,
    waitUntilReady,
  });
}

function basics(port: number, folder: string): string[] {
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const persistence = ['--save', '', '--appendonly', 'no'];
  return [...network, ...persistence, '--maxmemory', '256mb', '--maxmemory-policy', 'noeviction'];
}
