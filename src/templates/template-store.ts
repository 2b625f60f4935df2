/** Templates and their versions. A version is never changed: what a campaign was scheduled with is what it sends. */
import { newId, type TemplateId, type TenantId } from '../ids.ts';
import type { Database, Sql } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';

export interface Template {
  readonly id: TemplateId;
  readonly name: string;
  readonly latestVersion: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** As it is stored: compiled, and with the MJML it came from. */
export interface TemplateContent {
  readonly subject: string;
  readonly preheader: string | null;
  readonly mjml: string | null;
  readonly html: string;
  readonly text: string | null;
}

export interface TemplateVersion extends TemplateContent {
  readonly version: number;
  readonly createdAt: Date;
}

export interface TemplateKey {
  readonly tenantId: TenantId;
  readonly id: TemplateId;
}

/** The template with its version 1, in one transaction. */
export async function insertTemplate(
  db: Database,
  tenantId: TenantId,
  { name, content }: { readonly name: string; readonly content: TemplateContent },
): Promise<TemplateId> {
  return insertWithNewId(
    () => newId('template'),
    (id) =>
      db.transaction(async (tx) => {
        await tx.write(
          `INSERT INTO templates (tenant_id, id, name, latest_version, created_at, updated_at)
           VALUES (?, ?, ?, 1, NOW(3), NOW(3))`,
          [tenantId, id, name],
        );
        await insertVersion(tx, { tenantId, id }, 1, content);
      }),
  );
}

/**
 * Adds the next version and answers its number; undefined when there is no such template. The template's row is locked by
 * the count, so that two at once get two numbers.
 */
export async function addVersion(
  db: Database,
  key: TemplateKey,
  content: TemplateContent,
): Promise<number | undefined> {
  return db.transaction(async (tx) => {
    const { affectedRows } = await tx.write(
      `UPDATE templates SET latest_version = latest_version + 1, updated_at = NOW(3)
       WHERE tenant_id = ? AND id = ?`,
      [key.tenantId, key.id],
    );
    if (affectedRows === 0) return undefined;
    const version = (await findTemplate(tx, key))?.latestVersion as number;
    await insertVersion(tx, key, version, content);
    return version;
  });
}

export async function findTemplate(sql: Sql, { tenantId, id }: TemplateKey): Promise<Template | undefined> {
  return sql.first<Template>(`SELECT ${columns} FROM templates WHERE tenant_id = ? AND id = ?`, [
    tenantId,
    id,
  ]);
}

/** In order of their ids, hence of their making. */
export async function listTemplates(
  sql: Sql,
  tenantId: TenantId,
  { afterId, limit }: { readonly afterId: number; readonly limit: number },
): Promise<Template[]> {
  return sql.rows<Template>(
    `SELECT ${columns} FROM templates WHERE tenant_id = ? AND id > ? ORDER BY id LIMIT ?`,
    [tenantId, afterId, limit],
  );
}

export async function findVersion(
  sql: Sql,
  { tenantId, id }: TemplateKey,
  version: number,
): Promise<TemplateVersion | undefined> {
  return sql.first<TemplateVersion>(
    `SELECT version, subject, preheader, mjml, html, text_part AS text, created_at AS createdAt
     FROM template_versions WHERE tenant_id = ? AND template_id = ? AND version = ?`,
    [tenantId, id, version],
  );
}

export interface VersionSummary {
  readonly version: number;
  readonly subject: string;
  readonly createdAt: Date;
}

/** Newest first, without their sources. */
export async function listVersions(
  sql: Sql,
  { tenantId, id }: TemplateKey,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<VersionSummary[]> {
  return sql.rows<VersionSummary>(
    `SELECT version, subject, created_at AS createdAt FROM template_versions
     WHERE tenant_id = ? AND template_id = ? AND version < ? ORDER BY version DESC LIMIT ?`,
    [tenantId, id, before, limit],
  );
}

const columns = 'id, name, latest_version AS latestVersion, created_at AS createdAt, updated_at AS updatedAt';

async function insertVersion(
  tx: Sql,
  { tenantId, id }: TemplateKey,
  version: number,
  { subject, preheader, mjml, html, text }: TemplateContent,
): Promise<void> {
  await tx.write(
    `INSERT INTO template_versions (tenant_id, template_id, version, subject, preheader, mjml, html, text_part, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, NOW(3))`,
    [tenantId, id, version, subject, preheader, mjml, html, text],
  );
}
