import type { Database } from '../platform/mysql.ts';

/** Every table but those that tell which migrations ran, and `kept`: the schema stays, so that nothing is migrated anew. */
export async function emptyTables(db: Database, kept: readonly string[] = []): Promise<void> {
  const tables = await db.rows<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'migrations%'`,
  );
  for (const { name } of tables) if (!kept.includes(name)) await db.write(`TRUNCATE TABLE ${name}`);
}
