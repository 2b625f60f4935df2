/** The composition of the send stage: `wiring.ts` for a process that delivers. */
import { createGroupCommit } from './ledger/group-commit.ts';
import { leaseTermsOf } from './ledger/lease.ts';
import { createConnectionSlots } from './pacing/connection-slots.ts';
import { createPaceFeed } from './pacing/pace-feed.ts';
import { createRateGate } from './pacing/rate-gate.ts';
import { composeLifecycle, type Lifecycle } from './platform/lifecycle.ts';
import { createConsumer } from './queues/consumer.ts';
import { createRenderedStore } from './queues/rendered-store.ts';
import { createCampaignTerms } from './send/campaign-terms.ts';
import { DestinationSender } from './send/destination-sender.ts';
import { createLeaseKeeper } from './send/lease-keeper.ts';
import { createMessageSigning } from './send/message-signing.ts';
import { OpenBudget } from './send/open-budget.ts';
import { createResultWriter } from './send/result-writer.ts';
import { createSegmentCache } from './send/segment-cache.ts';
import { createSendMetrics } from './send/send-metrics.ts';
import { SendStage } from './send/send-stage.ts';
import { createSenderPausing } from './send/sender-pausing.ts';
import { createSenderPool } from './send/sender-pool.ts';
import { pauseSender } from './senders/sender-pauses.ts';
import { createSigningKeySource } from './sending-domains/signing-keys.ts';
import { createDestinationLimitsSource } from './transport-settings/destination-limits-source.ts';
import { createReplyRuleSource } from './transport-settings/reply-rule-source.ts';
import { createTransportSource } from './transport-settings/transport-source.ts';
import { dueRules, hostPolicyOf, type Platform, shardsToRead } from './wiring.ts';

/** Of the time a process has to stop; the rest is for recording what became of what was cut off, and for ending the grants. */
const onTheWireShare = 0.6;

/** Two transactions of intents and outcomes at a time; each waits for one flush, which the others share. */
const commitOptions = { committers: 2, largestGroup: 32 };

export function wireSend(platform: Platform): Lifecycle {
  const { config, db, log, clock, owner, redis, keys } = platform;
  const prefix = config.REDIS_PREFIX;
  const metrics = createSendMetrics(platform.metrics);
  const commits = createGroupCommit(db, commitOptions);
  const writer = createResultWriter(commits, log);
  const pace = createPaceFeed({ redis, prefix, owner, clock, log });
  const slots = createConnectionSlots({ redis, prefix, owner, clock, log });
  const rateGate = createRateGate({ redis, prefix, clock, log, workers: () => pace.workers });
  const store = createRenderedStore(redis, prefix);
  const leases = createLeaseKeeper({ db, commits, clock, log, owner, terms: leaseTermsOf(config.LEASE_MS) });
  const budget = new OpenBudget();
  const rules = { firstDelayMs: config.RETRY_FIRST_DELAY_MS };
  const replyRules = createReplyRuleSource({ db, log });
  const source = createTransportSource({
    db,
    log,
    secretsKey: keys.secrets,
    hostPolicy: hostPolicyOf(config),
    replyRules,
  });
  const signingKeys = createSigningKeySource({ db, log, secretsKey: keys.secrets });
  const signing = createMessageSigning({ keys: signingKeys, clock, log, metrics });
  const now = () => clock.monotonic();
  const pool = createSenderPool({
    ...{ source, log, pace, slots, now },
    createSender: ({ transportId, destinationId }, { transport, limits, perSecond }, siblings) =>
      new DestinationSender({
        ...{ commits, clock, log, owner, writer, rateGate, budget, signing, pace, slots, rules, metrics },
        ...{ transportId, destinationId, transport, limits, siblings, transportPerSecond: perSecond },
        onOutcome: createSenderPausing({
          destinationId,
          log,
          now,
          metrics,
          pause: (pause) => pauseSender(db, pause),
        }),
      }),
  });
  const destinationLimits = createDestinationLimitsSource({ db, log });
  const stage = new SendStage({
    ...{ db, log, owner, leases, store, pool, budget, metrics },
    segments: createSegmentCache(store),
    terms: createCampaignTerms(db),
    rules: dueRules(config),
    isCounted: (id) => destinationLimits.isCounted(id),
    mostHeld: config.SEND_HELD_MESSAGES,
  });
  const consumer = createConsumer({
    ...{ stage: 'send', redis: platform.connectWorker(), prefix, log },
    shards: shardsToRead(config),
    concurrency: config.SEND_CONCURRENCY,
    work: (job) => stage.work(job),
    drain: () => pool.stopSenders(config.STOP_TIMEOUT_MS * onTheWireShare),
  });
  // Jobs end before their grants do, so these are waited for apart, once no job comes any more.
  const grants = { start: async () => undefined, stop: () => stage.drained() };
  const belt = [pool, grants, consumer];
  return composeLifecycle([leases, replyRules, signingKeys, destinationLimits, pace, slots, ...belt]);
}
