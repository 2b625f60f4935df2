/** Who calls: a tenant by one of its API keys, the installation's admin, or anybody. */
import type { ApiKeyId, TenantId } from '../ids.ts';
import type { Access, GrantedScope } from './route.ts';

export interface Principal {
  readonly kind: 'tenant' | 'admin' | 'public';
  /** Zero unless a tenant calls. */
  readonly tenantId: TenantId;
  /** Zero unless a tenant calls. */
  readonly apiKeyId: ApiKeyId;
  readonly scopes: readonly GrantedScope[];
}

/** What a key in the database says of its bearer. */
export interface KeyIdentity {
  readonly tenantId: TenantId;
  readonly apiKeyId: ApiKeyId;
  readonly scopes: readonly GrantedScope[];
}

const nobody = { tenantId: 0 as TenantId, apiKeyId: 0 as ApiKeyId };

export const publicPrincipal: Principal = { kind: 'public', ...nobody, scopes: [] };
export const adminPrincipal: Principal = { kind: 'admin', ...nobody, scopes: ['*'] };

export function hasScope(scopes: readonly GrantedScope[], scope: GrantedScope): boolean {
  return scopes.includes('*') || scopes.includes(scope);
}

/** The admin token opens the admin's calls and nothing of a tenant's; a tenant's key never opens the admin's. */
export function mayCall(principal: Principal, access: Access): boolean {
  if (access === 'public') return true;
  if (access === 'admin') return principal.kind === 'admin';
  return principal.kind === 'tenant' && hasScope(principal.scopes, access);
}
