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

/** Below the size at which a full disk stops the ledger's files (full-disk.ts): the log has its place. */
const smallLog = ['--loose-innodb-log-file-size=16M', '--loose-innodb-redo-log-capacity=64M'];

/** A write beyond a file's limit is an error, not the end of the process: only whoever starts it can say so. */
function survivingLimits(binary: string, args: readonly string[]) {
  return { binary: '/bin/sh', args: ['-c', `trap '' XFSZ; exec "$0" "$@"`, binary, ...args] };
}

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
  const others = launched!.child.spawnargs
    .slice(1)
    .filter((arg) => !/^--(init-file|.*redo-log|.*log-file-size)/.test(arg));
  const args = [...others, ...smallLog, `--init-file=${initFile}`];
  const server = createKillableServer({
    url,
    port,
    launched: launched!,
    relaunch: () =>
      scripts.launch('mysql', instance, { env: program.env, ...survivingLimits(program.binary, args) }),
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
