/**
 * The keys that sign for sending domains, as send workers ask for them: in memory, looked at several times a second. What an owner changes
 * holds in every worker within two seconds; while MySQL is away, the last ones stand.
 *
 * A key is opened when its domain is first sent from. One that can't be opened makes its domain `unusable`: who has set up a signature
 * doesn't want mail without it, so nothing of that domain leaves until the key opens, is deactivated or is replaced.
 */
import type { DkimKey } from '../dkim/sign-message.ts';
import { formatId, type TenantId } from '../ids.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/mysql.ts';
import { createSecretBox, type SecretBox } from '../platform/secret-box.ts';
import { StampedCache } from '../platform/stamped-cache.ts';
import type { SigningKeys } from '../send/message-signing.ts';
import { openSealedKey } from './sealed-key.ts';
import { readKeyStamps, readSigningKeys, type SealedKey } from './sending-domain-store.ts';

export interface SigningKeySource extends Lifecycle {
  /** Of a domain; none: its messages go unsigned. Rejects when it isn't known yet and MySQL is away. */
  keysOf(tenantId: TenantId, domain: string): Promise<SigningKeys>;
  /** Looks for changes now. */
  refresh(): Promise<void>;
}

export interface SigningKeySourceOptions {
  readonly db: Sql;
  readonly log: Log;
  readonly secretsKey: Buffer;
}

interface Known {
  readonly sealed: readonly SealedKey[];
  /** By domain, once it was sent from. */
  readonly opened: Map<string, SigningKeys>;
}

/** With the time that what is ready may take to start, no more than 2 s. */
const refreshMs = 400;
const mostTenants = 10_000;
/** Tenants that have not sent for so long are no longer looked after. */
const forgetAfterMs = 60_000;

export function createSigningKeySource({ db, log, secretsKey }: SigningKeySourceOptions): SigningKeySource {
  const box = createSecretBox(secretsKey);
  const known = new StampedCache<TenantId, Known>({
    max: mostTenants,
    forgetAfterMs,
    readStamps: (tenantIds) => readKeyStamps(db, tenantIds),
    read: async (tenantId) => ({ sealed: await readSigningKeys(db, tenantId), opened: new Map() }),
  });

  function open({ sealed, opened }: Known, domain: string): SigningKeys {
    const before = opened.get(domain);
    if (before) return before;
    const keys = openKeys(
      box,
      log,
      sealed.filter((key) => key.domain === domain),
    );
    // What campaigns send from is the tenant's to say; what has a key is bounded.
    if (keys === 'unusable' || keys.length > 0) opened.set(domain, keys);
    return keys;
  }

  const pass = async () => {
    await known.refresh();
    return 'idle' as const;
  };
  const loop = createLoop({ name: 'signing-keys', log, idleMs: refreshMs, errorMs: refreshMs, pass });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    refresh: () => known.refresh(),
    async keysOf(tenantId, domain) {
      return open(known.get(tenantId) ?? (await known.load(tenantId)), domain);
    },
  };
}

/** Of one domain, read and opened now: for a test message. */
export async function readKeysNow(
  db: Sql,
  box: SecretBox,
  { tenantId, domain }: { readonly tenantId: TenantId; readonly domain: string },
): Promise<readonly DkimKey[]> {
  const sealed = await readSigningKeys(db, tenantId, domain);
  return sealed.map((key) => openSealedKey(box, key));
}

function openKeys(box: SecretBox, log: Log, sealed: readonly SealedKey[]): SigningKeys {
  try {
    return sealed.map((key) => openSealedKey(box, key));
  } catch (error) {
    const { tenantId, domain } = sealed[0] as SealedKey;
    log.error(
      { err: error, alert: 'signing_key_unusable', tenantId: formatId('tenant', tenantId), domain },
      'a signing key does not open: the domain’s messages wait, none goes unsigned',
    );
    return 'unusable';
  }
}
