/** Brings the schema up to date. Safe to run from many processes at once: knex holds a lock row. */
import knex, { type Knex } from 'knex';

type Migration = { readonly name: string; readonly migration: Knex.Migration };

/** Runs the migrations that have not run yet; returns their names. */
export async function migrateDatabase(
  url: string,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const connection = { uri: url.replace(/^mariadb:/, 'mysql:'), timezone: 'Z' };
  const db = knex({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
  try {
    const [, names] = await db.migrate.latest({
      migrationSource: sourceOf(migrations),
      tableName: 'migrations',
    });
    return names as string[];
  } finally {
    await db.destroy();
  }
}

function sourceOf(migrations: readonly Migration[]): Knex.MigrationSource<Migration> {
  return {
    getMigrations: async () => [...migrations],
    getMigrationName: (entry) => entry.name,
    getMigration: async (entry) => entry.migration,
  };
}
