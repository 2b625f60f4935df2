import { createKillableServer, type KillableServer } from './killable-server.ts';
import type { Instance, ServerProcess, ServiceScripts } from './service-scripts.ts';

const readyTimeoutMs = 20_000;

/** A Redis of a suite's own that keeps nothing on disk: it comes back empty. */
export async function startRedisServer(scripts: ServiceScripts, instance: Instance): Promise<KillableServer> {
  const program = await scripts.findProgram('redis');
  const port = await scripts.freePort();
  const launch = () =>
    scripts.launch('redis', instance, { ...program, args: settings(port, instance.folder) });
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

function settings(port: number, folder: string): string[] {
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  return [
    ...network,
    '--save',
    '',
    '--appendonly',
    'no',
    '--maxmemory',
    '256mb',
    '--maxmemory-policy',
    'noeviction',
  ];
}
