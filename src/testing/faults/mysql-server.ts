import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKillableServer, type KillableServer } from './killable-server.ts';
import type { Instance, ServerProcess, ServiceScripts } from './service-scripts.ts';

const readyTimeoutMs = 60_000;

/** The workers' account has no administrator's rights: `read_only` holds for it. */
const workerAccount = [
  "CREATE USER IF NOT EXISTS 'worker'@'127.0.0.1' IDENTIFIED BY 'worker';",
  "GRANT ALL PRIVILEGES ON sluice.* TO 'worker'@'127.0.0.1';",
  '',
].join('\n');

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
  const initFile = join(instance.folder, 'worker.sql');
  writeFileSync(initFile, workerAccount);
  const others = launched!.child.spawnargs.slice(1).filter((arg) => !arg.startsWith('--init-file'));
  const args = [...others, `--init-file=${initFile}`];
  const server = createKillableServer({
    url,
    port,
    launched: launched!,
    relaunch: () => scripts.launch('mysql', instance, { ...program, args }),
    waitUntilReady: (process) =>
      scripts.waitUntilReady(() => scripts.greetMysql({ host: '127.0.0.1', port }), {
        timeoutMs: readyTimeoutMs,
        isHopeless: () => !process.isRunning,
      }),
  });
  // Its own init file is for the first start only; the second brings the workers' account.
  await server.kill();
  await server.restart();
  return server;
}
