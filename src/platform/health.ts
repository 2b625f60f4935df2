/** What a process tells its supervisor: alive, ready (every check by name) and its metrics, on a port of its own. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lifecycle } from './lifecycle.ts';
import { listen } from './listen.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Resolves when the part is well; what it throws is shown by name only, as health has no authentication. */
export type HealthCheck = () => Promise<void>;
/** Without what is dispensable the process still serves: the reply says that it is away, and no balancer leaves the process for it. */
export type HealthChecks = Readonly<Record<string, HealthCheck | { readonly dispensable: HealthCheck }>>;

export interface Health {
  readonly status: 'ready' | 'degraded' | 'not_ready';
  readonly checks: Readonly<Record<string, 'ok' | 'failed' | 'timed_out'>>;
}

export interface HealthServerOptions {
  readonly port: number;
  readonly checks: HealthChecks;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface HealthServer extends Lifecycle {
  readonly port: number;
}

const checkMs = 2_000;

/** Runs all checks at once, each within two seconds. */
export async function checkHealth(checks: HealthChecks, log: Log): Promise<Health> {
  const entries = Object.entries(checks).map(
    async ([name, check]) => [name, await runCheck(name, functionOf(check), log)] as const,
  );
  const results = Object.fromEntries(await Promise.all(entries));
  const failed = Object.keys(checks).filter((name) => results[name] !== 'ok');
  const isServing = failed.every((name) => typeof checks[name] !== 'function');
  const status = failed.length === 0 ? 'ready' : isServing ? 'degraded' : 'not_ready';
  return { status, checks: results };
}

export function httpStatusOf({ status }: Health): 200 | 503 {
  return status === 'not_ready' ? 503 : 200;
}

export function createHealthServer(options: HealthServerOptions): HealthServer {
  let server: Server | undefined;
  let stopped: Promise<void> | undefined;
  return {
    get port() {
      return (server?.address() as AddressInfo | null)?.port ?? options.port;
    },
    async start() {
      if (server) return;
      server = createServer((req, res) => void answer(req, res, options));
      await listen(server, options.port);
    },
    stop() {
      if (!server) return Promise.resolve();
      stopped ??= close(server);
      return stopped;
    },
  };
}

function functionOf(check: HealthChecks[string]): HealthCheck {
  return typeof check === 'function' ? check : check.dispensable;
}

async function runCheck(name: string, check: HealthCheck, log: Log): Promise<'ok' | 'failed' | 'timed_out'> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timed_out'>((resolve) => {
    timer = setTimeout(resolve, checkMs, 'timed_out');
  });
  try {
    return await Promise.race([check().then(() => 'ok' as const), timeout]);
  } catch (error) {
    log.warn({ err: error, check: name }, 'health check failed');
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  options: HealthServerOptions,
): Promise<void> {
  const { checks, metrics, log } = options;
  try {
    const path = req.url?.split('?', 1)[0];
    if (path === '/livez') return sendJson(res, 200, { status: 'ok' });
    if (path === '/readyz') {
      const health = await checkHealth(checks, log);
      return sendJson(res, httpStatusOf(health), health);
    }
    if (path === '/metrics') return send(res, 200, metrics.contentType, await metrics.metrics());
    sendJson(res, 404, { status: 'not_found' });
  } catch (error) {
    log.error({ err: error }, 'health request failed');
    sendJson(res, 500, { status: 'failed' });
  }
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  send(res, status, 'application/json; charset=utf-8', JSON.stringify(body));
}

function send(res: ServerResponse, status: number, contentType: string, body: string): void {
  res.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' }).end(body);
}

/** Its replies take moments: nothing is worth waiting for. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
