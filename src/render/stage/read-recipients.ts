/** The recipients of a grant, with what their messages are made from: one query for up to 500. */
import { chunkValues, type Grant } from '../../ledger/grant.ts';
import { isPoisoned } from '../../ledger/poison.ts';
import { chunkStates, deliveryStates } from '../../ledger/states.ts';
import type { Sql } from '../../platform/mysql.ts';

export interface GrantRecipient {
  readonly seq: number;
  readonly profileId: number;
  /** Null when the profile was erased. */
  readonly email: string | null;
  /** The profile's address is no longer the one that was expanded. */
  readonly hasMoved: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface GrantRecipients {
  /** Those that are due, in order. */
  readonly recipients: readonly GrantRecipient[];
  /** The first of them killed whoever worked on it alone. */
  readonly isPoisoned: boolean;
}

type Row = {
  size: number;
  crashes: number;
  seq: number;
  profile_id: number;
  address_hash: Buffer;
  email: string | null;
  email_hash: Buffer | null;
  attributes: string | null;
};

/**
 * In the order in which they became due, so that what was first stays first: a deferred row that is due since the last look must not take the
 * place, and the blame, of one that was fatal alone. None when the grant is stale (its chunk has gone on to another epoch), or nothing of it is due.
 */
export async function readRecipients(sql: Sql, grant: Grant): Promise<GrantRecipients> {
  const rows = await sql.rows<Row>(
    `SELECT c.size, c.crashes, d.seq, d.profile_id, d.address_hash, p.email, p.email_hash, p.attributes
     FROM chunks c
     JOIN deliveries d ON d.tenant_id = c.tenant_id AND d.campaign_id = c.campaign_id AND d.chunk_no = c.chunk_no AND d.part = c.part
     LEFT JOIN profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
     WHERE c.tenant_id = ? AND c.campaign_id = ? AND c.chunk_no = ? AND c.part = ? AND c.epoch = ? AND c.state = ${chunkStates.dispatched}
       AND (d.state = ${deliveryStates.pending} OR (d.state = ${deliveryStates.deferred} AND d.next_attempt_at <= NOW(3)))
     ORDER BY CASE d.state WHEN ${deliveryStates.deferred} THEN d.next_attempt_at ELSE d.outcome_at END, d.seq LIMIT ?`,
    [...chunkValues(grant), grant.epoch, grant.n],
  );
  const [first] = rows;
  return { recipients: rows.map(toRecipient), isPoisoned: first !== undefined && isPoisoned(first) };
}

function toRecipient(row: Row): GrantRecipient {
  return {
    seq: row.seq,
    profileId: row.profile_id,
    email: row.email,
    hasMoved: row.email_hash !== null && !row.email_hash.equals(row.address_hash),
    attributes: row.attributes ? JSON.parse(row.attributes) : {},
  };
}
