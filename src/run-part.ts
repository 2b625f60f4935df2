/** Runs one part as a process: health port, platform, the part itself; what `workers/*.ts` and `server.ts` are made of. */
import { migrations } from '../migrations/all.ts';
import { loadConfig } from './config.ts';
import { createHealthServer } from './platform/health.ts';
import { createApiHealthChecks, createHealthChecks } from './platform/health-checks.ts';
import { composeLifecycle, type Lifecycle } from './platform/lifecycle.ts';
import { runProcess } from './platform/run-process.ts';
import { createPlatform, type Platform } from './wiring.ts';

export interface PartOptions {
  /** False for what starts and is ready without Redis. */
  readonly needsRedis?: boolean;
}

/** `process` names it in logs and metrics. Configuration mistakes end it with 78, a failed start with 1. */
export function runPart(
  process: string,
  wire: (platform: Platform) => Lifecycle,
  { needsRedis = true }: PartOptions = {},
): void {
  const config = loadConfig();
  const platform = createPlatform(config, process, { waitsForRedis: needsRedis });
  const { db, redis, log, metrics } = platform;
  const createChecks = needsRedis ? createHealthChecks : createApiHealthChecks;
  const checks = createChecks({ db, redis, migrations: migrations.map(({ name }) => name) });
  // The health port first: while the platform waits for its database, the process is alive and not ready.
  const health = createHealthServer({ port: config.HEALTH_PORT, checks, metrics, log });
  const part = composeLifecycle([health, platform, wire(platform)]);
  void runProcess(part, { log, stopTimeoutMs: config.STOP_TIMEOUT_MS });
}
