/** Two tables beside the schema, so that a million rows are written by the server itself: a row for each number, and a few people for each tenant. */
import type { Database } from '../../platform/mysql.ts';

/** Filled once: kept when tables are emptied. */
export const numbersTable = 'fairness_numbers';
/** The largest chunk has 500. */
const numbers = 500;

export async function createHelperTables(db: Database): Promise<void> {
  await db.write(`CREATE TABLE IF NOT EXISTS ${numbersTable} (n INT NOT NULL PRIMARY KEY)`);
  await db.write(
    `CREATE TABLE IF NOT EXISTS fairness_people (
       tenant_id BIGINT NOT NULL, destination_id BIGINT NOT NULL, slot INT NOT NULL, profile_id BIGINT NOT NULL, address_hash BINARY(16) NOT NULL,
       PRIMARY KEY (tenant_id, destination_id, slot))`,
  );
  await db.write(`DELETE FROM ${numbersTable}`);
  await db.write(`INSERT INTO ${numbersTable} (n) VALUES ?`, [
    Array.from({ length: numbers }, (_, n) => [n]),
  ]);
}
