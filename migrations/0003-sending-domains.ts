/**
 * Keys that sign for the domains tenants send from (DKIM). Only adds: a process of the release before goes on beside it, unsigned.
 *
 * - sending_domains: one row per key. Led by the tenant: send workers read a tenant's rows by the primary key, and look each few hundred
 *   milliseconds whether they have changed. `by_selector`: a selector names one key, and is found with its domain. `private_key` is sealed.
 */
import type { Knex } from 'knex';

const ascii = (length: number) => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`;

const statements = [
  `CREATE TABLE sending_domains (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, domain ${ascii(253)} NOT NULL, selector ${ascii(63)} NOT NULL,
    algorithm ${ascii(20)} NOT NULL, private_key BLOB NOT NULL, public_key ${ascii(1000)} NOT NULL,
    is_active TINYINT NOT NULL DEFAULT 0, version INT NOT NULL DEFAULT 1,
    created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, id), UNIQUE KEY by_selector (tenant_id, domain, selector))
    DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ENGINE=InnoDB`,
];

export async function up(knex: Knex): Promise<void> {
  for (const statement of statements) await knex.raw(statement);
}

export async function down(): Promise<void> {
  throw new Error('Migrations go forward only: restore a backup instead');
}
