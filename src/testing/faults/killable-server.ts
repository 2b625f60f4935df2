/** A database server that a test may kill, freeze and bring back on the same port with the data it had. */
import type { ServerProcess } from './service-scripts.ts';

export interface KillableServer {
  readonly url: string;
  readonly port: number;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** After `kill`; resolves when it answers. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

export interface KillableServerOptions {
  readonly url: string;
  readonly port: number;
  readonly launched: ServerProcess;
  readonly relaunch: () => ServerProcess;
  readonly waitUntilReady: (server: ServerProcess) => Promise<void>;
}

export function createKillableServer(options: KillableServerOptions): KillableServer {
  const { url, port, relaunch, waitUntilReady } = options;
  let server = options.launched;

  return {
    url,
    port,
    get pid() {
      return server.isRunning ? server.child.pid : undefined;
    },
    async kill() {
      server.killNow();
      await server.ended;
    },
    async restart() {
      if (server.isRunning) return;
      server = relaunch();
      await waitUntilReady(server);
    },
    freeze: () => void server.child.kill('SIGSTOP'),
    thaw: () => void server.child.kill('SIGCONT'),
  };
}
