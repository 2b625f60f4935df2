/** Reply rules as rows: a tenant's, and the installation's under tenant 0. At most `mostRules` of each owner, so they are read whole. */
import type { ReplyRuleId, TenantId } from '../ids.ts';
import type { Sql } from '../platform/mysql.ts';
import type { ReplyClass, ReplyEffect } from '../transports/contract.ts';

/** The owner of the rules that hold for everybody. */
export const installation = 0 as const;
export type RuleOwner = TenantId | typeof installation;

export const mostRules = 100;

export interface RuleMatch {
  readonly codeFrom?: number | undefined;
  readonly codeTo?: number | undefined;
  /** Wildcards over the whole enhanced code. */
  readonly enhanced?: string | undefined;
  /** Wildcards anywhere in the text. */
  readonly text?: string | undefined;
}

export interface RuleFields {
  readonly name: string;
  /** Lower ones are asked first; of equals the older. */
  readonly position: number;
  readonly match: RuleMatch;
  readonly class: ReplyClass;
  /** Undefined: its class's. */
  readonly effect?: ReplyEffect | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

export interface StoredReplyRule extends RuleFields {
  readonly id: ReplyRuleId;
  readonly owner: RuleOwner;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** In the order in which they are asked. */
export async function listReplyRules(sql: Sql, owner: RuleOwner): Promise<StoredReplyRule[]> {
  const rows = await sql.rows<Row>(
    `SELECT ${columns} FROM reply_rules WHERE tenant_id = ? ORDER BY position, id LIMIT ?`,
    [owner, mostRules * 2],
  );
  return rows.map(toRule);
}

export async function findReplyRule(
  sql: Sql,
  owner: RuleOwner,
  id: ReplyRuleId,
): Promise<StoredReplyRule | undefined> {
  const row = await sql.first<Row>(`SELECT ${columns} FROM reply_rules WHERE tenant_id = ? AND id = ?`, [
    owner,
    id,
  ]);
  return row && toRule(row);
}

/** False when the owner has `mostRules` already (two that come at the same moment may make one more). */
export async function insertReplyRule(
  sql: Sql,
  owner: RuleOwner,
  id: ReplyRuleId,
  fields: RuleFields,
): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `INSERT INTO reply_rules (tenant_id, id, position, name, rule, created_at, updated_at)
     SELECT ?, ?, ?, ?, ?, NOW(3), NOW(3) FROM DUAL
     WHERE (SELECT COUNT(*) FROM reply_rules r WHERE r.tenant_id = ?) < ?`,
    [owner, id, ...valuesOf(fields), owner, mostRules],
  );
  return affectedRows === 1;
}

/** Compares and sets the version; false when it has changed since it was read. */
export async function updateReplyRule(
  sql: Sql,
  { owner, id, version }: StoredReplyRule,
  fields: RuleFields,
): Promise<boolean> {
  const { affectedRows } = await sql.write(
    `UPDATE reply_rules FORCE INDEX (PRIMARY) SET position = ?, name = ?, rule = ?, version = version + 1, updated_at = NOW(3)
     WHERE tenant_id = ? AND id = ? AND version = ?`,
    [...valuesOf(fields), owner, id, version],
  );
  return affectedRows === 1;
}

export async function deleteReplyRule(sql: Sql, owner: RuleOwner, id: ReplyRuleId): Promise<boolean> {
  const { affectedRows } = await sql.write('DELETE FROM reply_rules WHERE tenant_id = ? AND id = ?', [
    owner,
    id,
  ]);
  return affectedRows === 1;
}

/** A text for each owner that has rules; it differs when one was added, changed or deleted. */
export async function readRuleStamps(
  sql: Sql,
  owners: readonly RuleOwner[],
): Promise<ReadonlyMap<RuleOwner, string>> {
  if (owners.length === 0) return new Map();
  const rows = await sql.rows<{ owner: RuleOwner; stamp: string }>(
    `SELECT tenant_id AS owner, CONCAT_WS('-', COUNT(*), SUM(version), SUM(id)) AS stamp FROM reply_rules
     WHERE tenant_id IN (?) GROUP BY tenant_id`,
    [owners],
  );
  return new Map(rows.map(({ owner, stamp }) => [owner, stamp]));
}

const columns = `id, tenant_id AS owner, position, name, rule, version, created_at AS createdAt, updated_at AS updatedAt`;

type Row = Omit<StoredReplyRule, 'match' | 'class' | 'effect' | 'retryAfterSeconds'> & {
  readonly rule: string;
};

function toRule({ rule, ...row }: Row): StoredReplyRule {
  return { ...row, ...(JSON.parse(rule) as Omit<RuleFields, 'name' | 'position'>) };
}

function valuesOf({ position, name, ...rule }: RuleFields) {
  const { match, class: replyClass, effect, retryAfterSeconds } = rule;
  return [position, name, JSON.stringify({ match, class: replyClass, effect, retryAfterSeconds })];
}
