/** The whole pipeline in this process, wired as in production, on a test's own database and Redis prefix. */
import { randomBytes } from 'node:crypto';
import type { DestinationStream } from 'pino';
import { type Config, parseConfig } from '../config.ts';
import { composeLifecycle, type Lifecycle } from '../platform/lifecycle.ts';
import { createPlatform, type Platform, wireDispatcher, wireRender, wireScheduler } from '../wiring.ts';
import { wireSend } from '../wiring-send.ts';

export interface TestPipeline extends Lifecycle {
  readonly platform: Platform;
}

export function testConfig(overrides: Readonly<Record<string, string>>): Config {
  const result = parseConfig({
    SECRET_KEY: randomBytes(32).toString('base64'),
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: 'silent',
    RETRY_FIRST_DELAY_MS: '200',
    RETRY_STEP_MS: '100',
    HTTP_PORT: '0',
    HEALTH_PORT: '0',
    ...overrides,
  });
  if (result.kind === 'invalid') throw new Error(result.errors.join('\n'));
  return result.config;
}

export function createTestPipeline(config: Config, logTo?: DestinationStream): TestPipeline {
  const platform = createPlatform(config, 'test', { logTo });
  const stages = composeLifecycle([
    platform,
    wireScheduler(platform),
    wireDispatcher(platform),
    wireRender(platform),
    wireSend(platform),
  ]);
  return { ...stages, platform };
}
