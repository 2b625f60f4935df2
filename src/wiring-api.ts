/** The composition root of the API: every stage's routes on one server. */
import { migrations } from '../migrations/all.ts';
import { importRoutes } from './audience/import-routes.ts';
import { listMemberRoutes } from './audience/list-member-routes.ts';
import { listRoutes } from './audience/list-routes.ts';
import { profileBulkRoutes } from './audience/profile-bulk-routes.ts';
import { profileRoutes } from './audience/profile-routes.ts';
import { suppressionRoutes } from './audience/suppression-routes.ts';
import { unsubscribeRoutes } from './audience/unsubscribe-routes.ts';
import { actionRoutes } from './campaigns/action-routes.ts';
import { campaignRoutes } from './campaigns/campaign-routes.ts';
import { deliveryRoutes } from './campaigns/delivery-routes.ts';
import { progressRoutes } from './campaigns/progress-routes.ts';
import { createProgressWatch } from './campaigns/progress-watch.ts';
import { testSendRoutes } from './campaigns/test-send-routes.ts';
import { createTestSender } from './campaigns/test-sender.ts';
import { createTestSigner } from './campaigns/test-signer.ts';
import { createApiServer } from './http/api-server.ts';
import type { Route } from './http/route.ts';
import { campaignPaceRoutes } from './pace-view/campaign-pace-routes.ts';
import { destinationRoutes } from './pace-view/destination-routes.ts';
import { laneRoutes } from './pace-view/lane-routes.ts';
import { createApiHealthChecks } from './platform/health-checks.ts';
import { composeLifecycle, type Lifecycle } from './platform/lifecycle.ts';
import { scalingRoutes } from './scaling/scaling-routes.ts';
import { senderPauseRoutes } from './senders/sender-pause-routes.ts';
import { txtResolverOf } from './sending-domains/record-check.ts';
import { sendingDomainRoutes } from './sending-domains/sending-domain-routes.ts';
import type { RunTemplateJob } from './templates/template-jobs.ts';
import { templateRoutes } from './templates/template-routes.ts';
import { createTemplateThreads } from './templates/template-threads.ts';
import { apiKeyRoutes } from './tenants/api-key-routes.ts';
import { tenantRoutes } from './tenants/tenant-routes.ts';
import { platformTransportRoutes } from './transport-settings/platform-transport-routes.ts';
import { platformReplyRuleRoutes, replyRuleRoutes } from './transport-settings/reply-rule-routes.ts';
import { transportRoutes } from './transport-settings/transport-routes.ts';
import { hostPolicyOf, type Platform } from './wiring.ts';

export function wireApi(platform: Platform): Lifecycle {
  const { config, db, redis, log, metrics, clock } = platform;
  const checks = createApiHealthChecks({ db, redis, migrations: migrations.map(({ name }) => name) });
  const templateThreads = createTemplateThreads();
  const routes = apiRoutes(platform, templateThreads.run);
  const server = createApiServer({ config, db, redis, log, metrics, clock, routes, checks });
  return composeLifecycle([templateThreads, server]);
}

/** All of them, in the order in which the documentation shows them. */
export function apiRoutes(
  platform: Pick<Platform, 'config' | 'db' | 'redis' | 'keys' | 'clock' | 'log'>,
  runTemplateJob: RunTemplateJob,
): readonly Route[] {
  const { config, db, redis, keys, clock, log } = platform;
  const audience = { db, addressKey: keys.address };
  const transports = { db, secretsKey: keys.secrets, hostPolicy: hostPolicyOf(config) };
  // Looking up what a caller asks for needs no leave: `off` is about the look-ups that Sluice makes by itself.
  const server = config.DNS_RESOLVER === 'off' ? 'system' : config.DNS_RESOLVER;
  const paceView = { db, redis, prefix: config.REDIS_PREFIX, clock, log };
  return [
    ...tenantRoutes(db),
    ...apiKeyRoutes(db),
    ...platformTransportRoutes(transports),
    ...platformReplyRuleRoutes(db),
    ...profileRoutes(audience),
    ...profileBulkRoutes(audience),
    ...listRoutes(audience),
    ...listMemberRoutes(audience),
    ...importRoutes(audience),
    ...suppressionRoutes(audience),
    ...templateRoutes({ db, publicUrl: config.PUBLIC_URL, runTemplateJob }),
    ...transportRoutes(transports),
    ...replyRuleRoutes(db),
    ...sendingDomainRoutes({ db, secretsKey: keys.secrets, resolveTxt: txtResolverOf(server) }),
    ...senderPauseRoutes(db),
    ...campaignRoutes({ db, clock, runTemplateJob }),
    ...actionRoutes({ db, clock, runTemplateJob }),
    ...progressRoutes(createProgressWatch({ db, clock, log })),
    ...deliveryRoutes(db),
    ...destinationRoutes(paceView),
    ...laneRoutes(paceView),
    ...campaignPaceRoutes(paceView),
    ...scalingRoutes({ redis, prefix: config.REDIS_PREFIX }),
    ...testSendRoutes({
      db,
      clock,
      addressKey: keys.address,
      publicUrl: config.PUBLIC_URL,
      runTemplateJob,
      signTest: createTestSigner({ db, secretsKey: keys.secrets, clock }),
      sendTest: createTestSender({ secretsKey: keys.secrets, hostPolicy: hostPolicyOf(config), clock }),
    }),
    ...unsubscribeRoutes({ db, signingKeys: [keys.signing] }),
  ];
}
