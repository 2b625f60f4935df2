/** Erasing a person: what is left is that nobody may write to them (GDPR articles 17 and 21). */
import type { ProfileId, TenantId } from '../ids.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { suppressAddresses } from './suppression-store.ts';

/**
 * Suppresses the address by its hash, then empties the profile and ends its memberships, in one transaction: from its
 * commit on, the intent statement of every send refuses the address. The row stays, because deliveries keep its id.
 * Idempotent; says whether there is (or was) such a profile.
 */
export async function eraseProfile(
  db: Database,
  { tenantId, id }: { readonly tenantId: TenantId; readonly id: ProfileId },
): Promise<'erased' | 'unknown'> {
  return db.transaction(async (tx) => {
    const profile = await tx.first<{ hash: Buffer | null }>(
      'SELECT email_hash AS hash FROM profiles WHERE tenant_id = ? AND id = ? FOR UPDATE',
      [tenantId, id],
    );
    if (!profile) return 'unknown';
    if (profile.hash) await eraseData(tx, { tenantId, id, addressHash: profile.hash });
    return 'erased';
  });
}

async function eraseData(
  tx: Sql,
  { tenantId, id, addressHash }: { tenantId: TenantId; id: ProfileId; addressHash: Buffer },
): Promise<void> {
  await suppressAddresses(tx, tenantId, [{ addressHash, scope: '*', reason: 'erased', source: 'erasure' }]);
  await tx.write(
    `UPDATE profiles FORCE INDEX (PRIMARY) SET email = NULL, email_hash = NULL, phone = NULL, time_zone = NULL, consent = NULL,
       attributes = NULL, updated_at = NOW(3), erased_at = NOW(3)
     WHERE tenant_id = ? AND id = ?`,
    [tenantId, id],
  );
  await tx.write('DELETE FROM list_members WHERE tenant_id = ? AND profile_id = ?', [tenantId, id]);
}
