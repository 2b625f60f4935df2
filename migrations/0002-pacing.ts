/**
 * What fair lanes and pacing need (DESIGN 5 and 6). Only adds: a process of the release before goes on beside it.
 *
 * - chunks.is_retry, within `by_lane`: a lane's retries and its fresh chunks are read apart, each in order of their due time, so that a
 *   million retries due at once are a bounded share of the lane and never stand before the fresh. `by_lane` keeps its name: older processes force it.
 * - campaigns.per_minute, tenants.per_second: "no faster than". campaigns.sending_domain: the domain of From, fixed when it is scheduled.
 * - destination_days: attempts by destination and UTC day, for quotas and warm-up; moved in the transaction that ends a grant, so exact.
 * - sender_pauses: a destination refuses a sending domain for policy; that domain rests there until `until`. Led by the tenant.
 * - reply_rules: rules of a tenant, or of the installation (tenant_id 0), asked before the shipped ones in order of `position`.
 */
import type { Knex } from 'knex';

const text = 'DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ENGINE=InnoDB';
const ascii = (length: number) => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`;

const statements = [
  `ALTER TABLE chunks ADD COLUMN is_retry TINYINT NOT NULL DEFAULT 0, DROP KEY by_lane,
    ADD KEY by_lane (tenant_id, destination_id, class, state, is_retry, due_at)`,
  `ALTER TABLE campaigns ADD COLUMN per_minute INT NULL, ADD COLUMN sending_domain ${ascii(253)} NULL`,
  'ALTER TABLE tenants ADD COLUMN per_second INT NULL',

  `CREATE TABLE destination_days (
    destination_id BIGINT NOT NULL, day DATE NOT NULL, attempts INT NOT NULL,
    PRIMARY KEY (destination_id, day)) ${text}`,

  `CREATE TABLE sender_pauses (
    tenant_id BIGINT NOT NULL, destination_id BIGINT NOT NULL, domain ${ascii(253)} NOT NULL,
    until DATETIME(3) NOT NULL, reply_code SMALLINT NOT NULL, reply VARCHAR(240) NOT NULL, refusals INT NOT NULL DEFAULT 1,
    first_at DATETIME(3) NOT NULL, last_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, destination_id, domain)) ${text}`,

  `CREATE TABLE reply_rules (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, position INT NOT NULL, name VARCHAR(200) NOT NULL,
    rule TEXT NOT NULL, version INT NOT NULL DEFAULT 1, created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, id), KEY by_position (tenant_id, position)) ${text}`,
];

export async function up(knex: Knex): Promise<void> {
  for (const statement of statements) await knex.raw(statement);
}

export async function down(): Promise<void> {
  throw new Error('Migrations go forward only: restore a backup instead');
}
