/**
 * A node:http server that starts and stops. Stopping: no new connections, streams are told to end, what is being
 * answered is finished with `Connection: close`, and what is still open after the bound is cut.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Lifecycle } from '../platform/lifecycle.ts';
import { listen } from '../platform/listen.ts';
import type { Log } from '../platform/log.ts';

export interface HttpListenerOptions {
  readonly listener: RequestListener;
  readonly port: number;
  readonly log: Log;
  readonly stopTimeoutMs: number;
  /** Called when stopping begins. */
  readonly onStopping: () => void;
}

export interface HttpListener extends Lifecycle {
  /** The port that is listened on, once started. */
  readonly port: number;
}

const serverOptions = {
  headersTimeout: 10_000,
  /** An import may take long to arrive; JSON bodies have a bound of their own. */
  requestTimeout: 3_600_000,
  /** Longer than the usual load balancer's 60 s, so that it never reuses a connection that we are closing. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

/** A connection on which nothing moves, neither in nor out; event streams write more often. */
const idleSocketMs = 120_000;

export function createHttpListener(options: HttpListenerOptions): HttpListener {
  const { listener, log, stopTimeoutMs } = options;
  const sockets = new Set<Socket>();
  const replies = new Set<ServerResponse>();
  let server: Server | undefined;
  let stopped: Promise<void> | undefined;

  return {
    get port() {
      return (server?.address() as AddressInfo | null)?.port ?? options.port;
    },
    async start() {
      if (server) return;
      server = createServer(serverOptions, (req, res) => {
        replies.add(res);
        res.once('close', () => {
          replies.delete(res);
          if (stopped) setImmediate(() => server?.closeIdleConnections());
        });
        if (stopped) res.setHeader('Connection', 'close');
        listener(req, res);
      });
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      server.setTimeout(idleSocketMs);
      await listen(server, options.port);
      log.info({ port: (server.address() as AddressInfo).port }, 'listening');
    },
    stop() {
      if (!server) return Promise.resolve();
      options.onStopping();
      stopped ??= close(server, stopTimeoutMs);
      for (const res of replies) if (!res.headersSent) res.setHeader('Connection', 'close');
      // Node takes a connection that has sent nothing yet for a busy one.
      const busy = new Set([...replies].map((res) => res.socket));
      for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
      return stopped;
    },
  };
}

function close(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
