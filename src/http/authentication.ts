/**
 * From the Authorization header to a principal. Keys are looked up by their hash; what was found is remembered for
 * less than two seconds, so that a revoked key stops within that time on every process.
 *
 * A token that opens nothing costs its address a request, and an address that has none left is refused before the
 * database is asked. Good tokens cost nothing: many tenants may come from one address.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { adminPrincipal, type KeyIdentity, mayCall, type Principal, publicPrincipal } from './principal.ts';
import { addressKey, type RateLimit } from './rate-limit.ts';
import type { Access } from './route.ts';
import { hashSecret, isKeySecret } from './secret.ts';

export interface AuthenticationOptions {
  readonly adminToken: string | undefined;
  /** The key of that hash, unless it is revoked. */
  readonly findKey: (hash: Buffer) => Promise<(KeyIdentity & { readonly hash: Buffer }) | undefined>;
  readonly rateLimit: RateLimit;
  readonly clock: Clock;
}

/** Throws 401 without a valid token and 403 with one that may not call this. */
export type Authenticate = (req: Request, res: Response, access: Access) => Promise<Principal>;

const rememberedMs = 1_500;
const rememberedKeys = 10_000;

export function createAuthentication(options: AuthenticationOptions): Authenticate {
  const { adminToken, findKey, rateLimit, clock } = options;
  const adminHash = adminToken === undefined ? undefined : hashSecret(adminToken);
  // The age counts from before the lookup: a key revoked during it does not live longer for that.
  const remembered = new LRUCache<string, Principal>({
    max: rememberedKeys,
    ttl: rememberedMs,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
  });

  async function identify(req: Request, res: Response): Promise<Principal> {
    const token = readBearer(req);
    const hash = token === undefined ? undefined : hashSecret(token);
    const known = hash && remembered.get(hash.toString('base64'));
    if (known) return known;
    if (hash && adminHash && timingSafeEqual(hash, adminHash)) return adminPrincipal;
    rateLimit.assertNotSpent(addressKey(req.ip));
    const principal = hash && token && isKeySecret(token) ? await lookUp(hash) : undefined;
    if (principal) return principal;
    await rateLimit.charge(res, addressKey(req.ip));
    res.setHeader('WWW-Authenticate', `Bearer realm="sluice"${token ? ', error="invalid_token"' : ''}`);
    throw new AppError('unauthenticated', {
      detail: token ? 'The key is unknown or revoked' : 'Send Authorization: Bearer sk_...',
    });
  }

  async function lookUp(hash: Buffer): Promise<Principal | undefined> {
    const start = clock.monotonic();
    const key = await findKey(hash);
    if (!key || !timingSafeEqual(key.hash, hash)) return undefined;
    const { tenantId, apiKeyId, scopes } = key;
    const principal: Principal = { kind: 'tenant', tenantId, apiKeyId, scopes };
    remembered.set(hash.toString('base64'), principal, { start });
    return principal;
  }

  return async (req, res, access) => {
    if (access === 'public') {
      await rateLimit.charge(res, addressKey(req.ip));
      return publicPrincipal;
    }
    const principal = await identify(req, res);
    if (!mayCall(principal, access)) throw forbidden(res, access, principal);
    return principal;
  };
}

function readBearer({ headers }: Request): string | undefined {
  return /^bearer +([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '')?.[1];
}

/** RFC 6750, section 3.1. */
function forbidden(res: Response, access: Access, principal: Principal): AppError {
  if (access === 'admin') return new AppError('forbidden', { detail: 'This call needs the admin token' });
  if (principal.kind === 'admin')
    return new AppError('forbidden', { detail: "This call needs a tenant's API key" });
  res.setHeader('WWW-Authenticate', `Bearer realm="sluice", error="insufficient_scope", scope="${access}"`);
  return new AppError('forbidden', { detail: `This call needs the scope ${access}` });
}
