/**
 * Which suppressions keep a campaign from a person. She belongs to its audience by each included list that she is on and has not left: whoever
 * left one and is on another gets it by way of that one, and whoever left all of hers does not. What holds for everything holds always.
 *
 * The one rule of estimate and intent, said once as the condition of a join: so that it costs no statement of its own, and is as fresh as the
 * intent. Pure.
 */
import type { ListId } from '../ids.ts';
import { listScope } from './suppression-store.ts';

interface Audience {
  readonly includedLists: readonly number[];
}

/** The columns in which a statement has the person. */
export interface PersonColumns {
  readonly tenantId: string;
  readonly profileId: string;
  readonly addressHash: string;
}

export interface SuppressionMatch {
  /** Of rows `s` of `suppressions`. */
  readonly condition: string;
  readonly values: readonly unknown[];
}

/**
 * By the primary key of suppressions, one look-up a person. Of several lists, only somebody who left one is looked up further: her
 * memberships in them, and her suppression at each of those, all by primary key.
 */
export function suppressionsOf(person: PersonColumns, { includedLists }: Audience): SuppressionMatch {
  const scopes = ['*', ...includedLists.map((list) => listScope(list as ListId))];
  const condition = `s.tenant_id = ${person.tenantId} AND s.address_hash = ${person.addressHash} AND s.scope IN (?)`;
  // Of one list that she left there is nothing to look up: none is left.
  if (includedLists.length < 2) return { condition, values: [scopes] };
  return {
    condition: `${condition} AND (s.scope = '*' OR NOT EXISTS (${listsNotLeft(person)}))`,
    values: [scopes, includedLists],
  };
}

/** The list, when it goes to just one: unsubscribing from it then leaves the others. */
export function onlyListOf({ includedLists: [only, ...others] }: Audience): ListId | undefined {
  return only !== undefined && others.length === 0 ? (only as ListId) : undefined;
}

/** The included lists by way of which she still belongs to the audience. */
function listsNotLeft({ tenantId, profileId, addressHash }: PersonColumns): string {
  return `SELECT 1 FROM list_members l LEFT JOIN suppressions o ON o.tenant_id = l.tenant_id
      AND o.address_hash = ${addressHash} AND o.scope = CONCAT_WS(':', 'list', l.list_id)
    WHERE l.tenant_id = ${tenantId} AND l.list_id IN (?) AND l.profile_id = ${profileId} AND o.tenant_id IS NULL`;
}
