import { createKillableServer, type KillableServer } from './killable-server.ts';
import type { Instance, ServerProcess, ServiceScripts } from './service-scripts.ts';

const readyTimeoutMs = 60_000;

/** A MySQL or MariaDB of a suite's own, with an empty database `sluice`. */
export async function startMysqlServer(scripts: ServiceScripts, instance: Instance): Promise<KillableServer> {
  const program = await scripts.findProgram('mysql');
  let launched: ServerProcess | undefined;
  const { url } = await scripts.startMysql(program, {
    folder: instance.folder,
    socketPath: (name) => instance.socketPath(name),
    emptyFolder: (name) => instance.emptyFolder(name),
    addProcess(name, pid, server) {
      launched = server;
      instance.addProcess(name, pid, server);
    },
  });
  const port = Number(new URL(url).port);
  // Its init file creates what is there by now.
  const args = launched!.child.spawnargs.slice(1).filter((arg) => !arg.startsWith('--init-file'));
  return createKillableServer({
    url,
    port,
    launched: launched!,
    relaunch: () => scripts.launch('mysql', instance, { ...program, args }),
    waitUntilReady: (server) =>
      scripts.waitUntilReady(() => scripts.greetMysql({ host: '127.0.0.1', port }), {
        timeoutMs: readyTimeoutMs,
        isHopeless: () => !server.isRunning,
      }),
  });
}
