/**
 * What fair lanes and pacing need (DESIGN 5 and 6). Only adds: a process of the release before goes on beside it.
 *
 * - chunks.is_retry, within `by_lane`: a lane's retries and its fresh chunks are read apart, each in order of their due time, so that a
 *   million retries due at once are a bounded share of the lane and never stand before the fresh. `by_lane` keeps its name: older processes force it.
 * - campaigns.per_minute, tenants.per_second: "no faster than". campaigns.sending_domain: the domain of From, fixed when it is scheduled.
 * - destination_days: attempts by destination and UTC day, for quotas and warm-up; moved in the transaction that ends a grant, so exact.
 * - sender_pauses: a destination refuses a sending domain for policy; that domain rests there until `until`. Led by the tenant.
 * - reply_rules: rules of a tenant, or of the installation (tenant_id 0), asked before the shipped ones in order of `position`.
 *
 * Plans of a dispatch pass, on MariaDB 10.11 with 50,000 lanes of 2,500 tenants at 20 destinations, 2,000 of them due, and 150,000 chunks
 * (`node dist/load-tests/bench/dispatch-pass.js` prints them):
 * - outstanding: chunks range by_lease, what is dispatched or leased. Due groups: lanes range by_destination, "Using index for group-by", 39 steps for 20.
 * - due lanes: lanes range by_destination, index only, 500 of a group at most; then tenants eq_ref by PRIMARY.
 * - candidates: for each lane that is looked into chunks range by_lane twice (fresh, retries), the rows asked for and no sort; then campaigns and
 *   sender_pauses eq_ref by PRIMARY. Joined within each part, MariaDB began with the campaign and sorted.
 * - a lane's next due time: MIN(due_at) of fresh chunks and of retries, "Select tables optimized away" each. S1: chunks range by PRIMARY, 100 keys a statement.
 * - chunks set back with their campaign: range by_lane of the lane's due ones; the campaign is in the index, as part of the primary key.
 *
 * One pass on 2 cores that were busy with other things, the least of several: 20 lanes due of 10,000, 11 ms; 20 of 50,000, 23 ms; 2,000 of 50,000
 * (500 grants, 15,000 messages), 177 ms, of which candidates 105 and S1 50. Lanes that are not due cost nothing but the depth of an index.
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
    \`until\` DATETIME(3) NOT NULL, reply_code SMALLINT NOT NULL, reply VARCHAR(240) NOT NULL, refusals INT NOT NULL DEFAULT 1,
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
