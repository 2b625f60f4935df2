/**
 * The composition root: the only place that picks implementations. `createPlatform` makes what every process has; each
 * `wire…` function puts one stage together on it, not yet started. `workers/*.ts` and `src/server.ts` run them.
 */
import { randomBytes } from 'node:crypto';
import type { DestinationStream } from 'pino';
import { createImportRunner } from './audience/import-runner.ts';
import { createListSweeper } from './audience/list-sweeper.ts';
import type { Config } from './config.ts';
import { createBacklogMetrics } from './dispatch/backlog-metrics.ts';
import { createDispatchMetrics } from './dispatch/dispatch-metrics.ts';
import { createDispatcher } from './dispatch/dispatcher.ts';
import { DrainedCampaigns } from './dispatch/drained-campaigns.ts';
import { createSweeper } from './dispatch/sweeper.ts';
import { withLimits } from './dispatch/with-limits.ts';
import { createFeedbackMetrics } from './feedback/feedback-metrics.ts';
import { createFeedbackStage } from './feedback/feedback-stage.ts';
import { sweepIdempotencyKeys } from './http/idempotency-store.ts';
import { deriveKeys, type Keys } from './keys.ts';
import { createPaceLearner } from './pacing/pace-learner.ts';
import { createPaceMetrics } from './pacing/pace-metrics.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { createFleetShare } from './platform/fleet-share.ts';
import { createLeadership } from './platform/leadership.ts';
import { composeLifecycle, type Lifecycle } from './platform/lifecycle.ts';
import { createLog, type Log } from './platform/log.ts';
import { createMetrics, type Metrics } from './platform/metrics.ts';
import { assertDurable, createDatabase, type Database } from './platform/mysql.ts';
import {
  assertNoEviction,
  connectOnce,
  connectRedis,
  connectRedisForWorkers,
  type RedisClient,
} from './platform/redis.ts';
import { createRedisMetric } from './platform/redis-metric.ts';
import { assertInstallationKey } from './platform/secret-box.ts';
import { type WaitOptions, waitUntilUp } from './platform/wait-until-up.ts';
import { createConsumer } from './queues/consumer.ts';
import { createGeneration } from './queues/generation.ts';
import { createProducer } from './queues/producer.ts';
import { createRenderedStore } from './queues/rendered-store.ts';
import { allShards, type Belt } from './queues/shards.ts';
import { createStaleJobsSweep } from './queues/stale-jobs.ts';
import { createCampaignMessages } from './render/stage/campaign-messages.ts';
import { createRenderMetrics } from './render/stage/render-metrics.ts';
import { RecipientRenderer } from './render/stage/render-recipients.ts';
import { RenderStage } from './render/stage/render-stage.ts';
import { createDestinationIds } from './schedule/destination-ids.ts';
import { createHousekeeping } from './schedule/housekeeping.ts';
import { createScheduleMetrics } from './schedule/schedule-metrics.ts';
import { createScheduler } from './schedule/scheduler.ts';
import { createOldWeeksSweep } from './schedule/sweep-old-weeks.ts';
import { sweepOldDays } from './senders/sweep-old-days.ts';
import { createDestinationLimitsSource } from './transport-settings/destination-limits-source.ts';
import { type HostPolicy, hostPolicy } from './transports/host-policy.ts';
import { createMxRollup, type MxRollup, resolverOf, tablesOnly } from './transports/mx-rollup.ts';
import { wireScalingSignal } from './wiring-scaling.ts';

/** What every process has, and starts first. */
export interface Platform extends Lifecycle {
  readonly config: Config;
  readonly log: Log;
  readonly db: Database;
  readonly redis: RedisClient;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly keys: Keys;
  /** Names this process in leases: another start of it is another owner. */
  readonly owner: string;
  /** A connection for blocking reads; closed with the platform. */
  connectWorker(): RedisClient;
}

export interface PlatformOptions {
  /** Default is standard output. */
  readonly logTo?: DestinationStream | undefined;
  /** Whether the start waits for Redis. The API's doesn't: one that is replaced while Redis is away must come back. */
  readonly waitsForRedis?: boolean;
}

export function createPlatform(
  config: Config,
  process: string,
  { logTo, waitsForRedis = true }: PlatformOptions = {},
): Platform {
  const log = createLog(process, config.LOG_LEVEL, logTo);
  const db = createDatabase({ url: config.DATABASE_URL, connections: config.DATABASE_CONNECTIONS, log });
  const redis = connectRedis(config.REDIS_URL, log);
  const owner = `${process}-${randomBytes(8).toString('hex')}`;
  const fleetShare = createFleetShare({
    ...{ db, log, owner },
    fleetConnections: config.DATABASE_FLEET_CONNECTIONS,
    ownConnections: config.DATABASE_CONNECTIONS,
  });
  const workerConnections: RedisClient[] = [];
  const stopping = new AbortController();
  const metrics = createMetrics(process);
  createRedisMetric(metrics, redis);

  return {
    config,
    log,
    db,
    redis,
    metrics,
    clock: systemClock,
    keys: deriveKeys(config.SECRET_KEY),
    owner,
    connectWorker() {
      const connection = connectRedisForWorkers(config.REDIS_URL, log);
      workerConnections.push(connection);
      return connection;
    },
    async start() {
      const wait = { log, signal: stopping.signal };
      await waitUntilUp(() => assertDurable(db), { ...wait, name: 'mysql' });
      await waitUntilUp(() => assertInstallationKey(db, config.SECRET_KEY), { ...wait, name: 'schema' });
      await waitUntilUp(() => fleetShare.start(), { ...wait, name: 'fleet share' });
      if (waitsForRedis) return startRedis(redis, wait);
      // One try: where Redis is there, it is so from the first request on.
      await connectOnce(redis).catch(() => undefined);
      startRedis(redis, wait).catch((error) => log.error({ err: error }, 'redis can not be used'));
    },
    async stop() {
      stopping.abort();
      await fleetShare.stop();
      for (const connection of workerConnections) connection.disconnect();
      redis.disconnect();
      await db.stop();
    },
  };
}

async function startRedis(redis: RedisClient, wait: Omit<WaitOptions, 'name'>): Promise<void> {
  await waitUntilUp(() => connectOnce(redis), { ...wait, name: 'redis' });
  if (!wait.signal.aborted) await assertNoEviction(redis);
}

export function wireScheduler(platform: Platform): Lifecycle {
  const { config, db, log, clock, owner, keys } = platform;
  const leadership = createLeadership({ db, clock, name: 'scheduler', owner });
  const destinationIds = createDestinationIds(db);
  const metrics = createScheduleMetrics(platform.metrics);
  const sweepOldWeeks = createOldWeeksSweep({ db, clock, log, weeks: config.RETENTION_WEEKS });
  const sweeps = [() => sweepIdempotencyKeys(db), () => sweepOldDays(db), sweepOldWeeks];
  return composeLifecycle([
    createScheduler({ db, log, leadership, destinationIds, metrics, mxRollup: mxRollupOf(config) }),
    createHousekeeping({ db, clock, log, leadership, sweeps }),
    createImportRunner({ db, log, addressKey: keys.address }),
    createListSweeper({ db, log }),
  ]);
}

function mxRollupOf({ DNS_RESOLVER }: Config): MxRollup {
  return DNS_RESOLVER === 'off' ? tablesOnly : createMxRollup({ resolveMx: resolverOf(DNS_RESOLVER) });
}

export function wireDispatcher(platform: Platform): Lifecycle {
  const { config, db, log, clock, owner, redis } = platform;
  const leadership = createLeadership({ db, clock, name: 'dispatcher', owner });
  const metrics = createDispatchMetrics(platform.metrics);
  const belt = beltOf(platform);
  const producer = createProducer({ belt, stage: 'render', clock, log });
  const limits = { totalMessages: config.DISPATCH_TOTAL_MESSAGES };
  const destinationLimits = createDestinationLimitsSource({ db, log });
  const paces = createPaceLearner({
    ...{ redis, prefix: config.REDIS_PREFIX, clock, log, ceiling: config.DISPATCH_WINDOW_MESSAGES },
    limitsOf: (id) => destinationLimits.limitsOf(id),
  });
  createPaceMetrics(platform.metrics, () => paces.paces());
  const generation = createGeneration(belt, clock);
  const drainedCampaigns = new DrainedCampaigns();
  const dispatcher = createDispatcher({
    db,
    log,
    leadership,
    producer,
    generation,
    limits,
    paces: withLimits(paces, destinationLimits),
    leaseMs: config.LEASE_MS,
    drainedCampaigns,
    metrics,
  });
  const settleAfterMs = config.IN_DOUBT_SETTLE_AFTER_MS;
  const sweeper = createSweeper({
    ...{ db, log, leadership, rules: dueRules(config), settleAfterMs, drainedCampaigns, metrics },
    isCounted: (id) => destinationLimits.isCounted(id),
  });
  const backlogMetrics = createBacklogMetrics({ db, log, leadership, registry: platform.metrics });
  const scalingSignal = wireScalingSignal(platform, { leadership, paces, destinationLimits });
  const staleJobs = createStaleJobsSweep({ belt, leadership, log, leaseMs: config.LEASE_MS });
  const watching = [sweeper, staleJobs, backlogMetrics, scalingSignal];
  return composeLifecycle([producer, destinationLimits, dispatcher, ...watching]);
}

export function wireRender(platform: Platform): Lifecycle {
  const { config, db, log, clock, owner, keys, redis } = platform;
  const sendQueue = createProducer({ belt: beltOf(platform), stage: 'send', clock, log });
  const stage = new RenderStage({
    db,
    log,
    clock,
    owner,
    leaseMs: config.LEASE_MS,
    messages: createCampaignMessages(db, clock),
    store: createRenderedStore(redis, config.REDIS_PREFIX),
    sendQueue,
    renderer: new RecipientRenderer({ clock, signingKey: keys.signing, publicUrl: config.PUBLIC_URL }),
    metrics: createRenderMetrics(platform.metrics),
  });
  const consumer = createConsumer({
    stage: 'render',
    redis: platform.connectWorker(),
    prefix: config.REDIS_PREFIX,
    shards: shardsToRead(config),
    log,
    concurrency: config.RENDER_CONCURRENCY,
    work: (job) => stage.work(job),
  });
  return composeLifecycle([sendQueue, consumer]);
}

export function wireFeedback(platform: Platform): Lifecycle {
  const { config, db, log, keys } = platform;
  if (config.FEEDBACK_SMTP_PORT === 0) return composeLifecycle([]);
  return createFeedbackStage({
    db,
    log,
    signingKeys: [keys.signing],
    rules: dueRules(config),
    metrics: createFeedbackMetrics(platform.metrics),
    host: config.FEEDBACK_SMTP_HOST,
    port: config.FEEDBACK_SMTP_PORT,
  });
}

function beltOf({ config, redis }: Platform): Belt {
  return { redis, prefix: config.REDIS_PREFIX, shards: config.QUEUE_SHARDS };
}

export function shardsToRead({ QUEUE_SHARDS, QUEUE_SHARDS_READ }: Config): readonly number[] {
  return QUEUE_SHARDS_READ === 'all' ? allShards(QUEUE_SHARDS) : QUEUE_SHARDS_READ;
}

export function dueRules(config: Config) {
  return { retryStepMs: config.RETRY_STEP_MS };
}

export function hostPolicyOf(config: Config): HostPolicy {
  return hostPolicy({ allowPrivate: config.ALLOW_PRIVATE_TRANSPORTS });
}
