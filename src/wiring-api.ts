/** The composition root of the API: every stage's routes on one server. */
import { migrations } from '../migrations/all.ts';
import { importRoutes } from './audience/import-routes.ts';
import { listMemberRoutes } from './audience/list-member-routes.ts';
import { listRoutes } from './audience/list-routes.ts';
import { profileBulkRoutes } from './audience/profile-bulk-routes.ts';
import { profileRoutes } from './audience/profile-routes.ts';
import { suppressionRoutes } from './audience/suppression-routes.ts';
import { unsubscribeRoutes } from './audience/unsubscribe-routes.ts';
import { type ApiServer, createApiServer } from './http/api-server.ts';
import type { Route } from './http/route.ts';
import { createHealthChecks } from './platform/health-checks.ts';
import { createApiKeyRoutes } from './tenants/api-key-routes.ts';
import { createTenantRoutes } from './tenants/tenant-routes.ts';
import { transportRoutes } from './transport-settings/transport-routes.ts';
import { hostPolicyOf, type Platform } from './wiring.ts';

export function wireApi(platform: Platform): ApiServer {
  const { config, db, redis, log, metrics, clock } = platform;
  const checks = createHealthChecks({ db, redis, migrations: migrations.map(({ name }) => name) });
  return createApiServer({ config, db, redis, log, metrics, clock, routes: apiRoutes(platform), checks });
}

/** All of them, in the order in which the documentation shows them. */
export function apiRoutes({ config, db, keys }: Platform): readonly Route[] {
  const audience = { db, addressKey: keys.address };
  return [
    ...createTenantRoutes(db),
    ...createApiKeyRoutes(db),
    ...profileRoutes(audience),
    ...profileBulkRoutes(audience),
    ...listRoutes(audience),
    ...listMemberRoutes(audience),
    ...importRoutes(audience),
    ...suppressionRoutes(audience),
    ...transportRoutes({ db, secretsKey: keys.secrets, hostPolicy: hostPolicyOf(config) }),
    ...unsubscribeRoutes({ db, signingKeys: [keys.signing] }),
  ];
}
