/** The whole pipeline in this process, wired as in production, on a test's own database and Redis prefix. */
import { randomBytes } from 'node:crypto';
import { type Config, parseConfig } from '../config.ts';
import { composeLifecycle, type Lifecycle } from '../platform/lifecycle.ts';
import type { Database } from '../platform/mysql.ts';
import type { TransportSource } from '../send/transport-pool.ts';
import { hostPolicy } from '../transports/host-policy.ts';
import { openTransport } from '../transports/open-transport.ts';
import { smtpSettings, transportLimits } from '../transports/smtp-settings.ts';
import {
  createPlatform,
  type Platform,
  wireDispatcher,
  wireRender,
  wireScheduler,
  wireSend,
} from '../wiring.ts';

export interface TestPipeline extends Lifecycle {
  readonly platform: Platform;
}

export function testConfig(overrides: Readonly<Record<string, string>>): Config {
  const result = parseConfig({
    SECRET_KEY: randomBytes(32).toString('base64'),
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    RETRY_FIRST_DELAY_MS: '200',
    RETRY_STEP_MS: '100',
    HTTP_PORT: '0',
    HEALTH_PORT: '0',
    ...overrides,
  });
  if (result.kind === 'invalid') throw new Error(result.errors.join('\n'));
  return result.config;
}

export function createTestPipeline(config: Config): TestPipeline {
  const platform = createPlatform(config, 'test');
  const stages = composeLifecycle([
    platform,
    wireScheduler(platform),
    wireDispatcher(platform),
    wireRender(platform),
    wireSend(platform, plainTransports(platform.db)),
  ]);
  return { ...stages, platform };
}

function plainTransports(db: Database): TransportSource {
  return {
    async open(id) {
      const row = await db.first<{ settings: string; limits: string; version: number }>(
        'SELECT settings, limits, version FROM transports WHERE id = ?',
        [id],
      );
      if (!row) return undefined;
      const limits = transportLimits.parse(JSON.parse(row.limits));
      const transport = openTransport({
        kind: 'smtp',
        settings: smtpSettings.parse(JSON.parse(row.settings)),
        limits,
        hostPolicy: hostPolicy({ allowPrivate: true }),
      });
      return { transport, version: row.version, perSecond: limits.perSecond };
    },
    async readVersions(ids) {
      const rows = await db.rows<{ id: number; version: number }>(
        'SELECT id, version FROM transports WHERE id IN (?)',
        [ids],
      );
      return new Map(rows.map((row) => [row.id, row.version]));
    },
  };
}
