/**
 * The data model, to which later migrations add. Forward only.
 *
 * Every table is led by tenant_id, so that a tenant's rows lie together and can move to another cell. No foreign keys:
 * partitioned tables can't have them. JSON is kept as text, because MariaDB's JSON type is text and MySQL's is not.
 * Partition by `part`, the ISO week (yyyyww) in which the campaign was scheduled; `ensurePartitions` adds the weeks to come.
 *
 * Which index serves which query (`by_lane` stands below as it was first made: 0002 builds it anew with `is_retry`, and has the plans of what goes by it):
 * - campaigns (state, send_at): the scheduler's due campaigns, the dispatcher's running ones.
 * - campaigns (settling, state): the few that were stopped and are not settled, among all that ever ended.
 * - chunks by_lane: the next chunks of a lane, in order of their due time; since 0002 fresh ones and retries apart.
 * - chunks (state, lease_until): what is outstanding, and which leases are over.
 * - chunks (tenant_id, campaign_id, state, n_in_doubt): is the campaign done (its first entry tells); the sweepers that cancel and
 *   that settle doubts; by-state listings. Forced where the planner would walk the campaign by its primary key.
 * - deliveries have the primary key only: a listing by state walks the chunks that count any of that state.
 * - lanes (destination_id, class, next_due_at): a dispatch pass reads only the lanes it can serve.
 * - list_members (tenant_id, profile_id): erasing a profile; of a campaign to several lists, which of them is somebody on who left one.
 *
 * Plans, on MariaDB 10.11 with 100,000 chunks of 2,000 campaigns, 2,000,000 deliveries, 20,000 lanes and 200,000 suppressions (rows read, not found):
 * - S1, S2, S5 and renewals: chunks by PRIMARY, a row for each grant. S5's recount: deliveries by PRIMARY, the chunk's rows.
 * - S3: chunk and campaign const by PRIMARY, deliveries range by PRIMARY (the rows asked for), suppressions ref by PRIMARY, one each, index only.
 *   Of several lists, only for whoever left one: list_members ref by_profile, one for each list they are on, and suppressions eq_ref by PRIMARY for each.
 * - S4: deliveries range by PRIMARY. S6: chunks range by_lease, what is over, index only.
 * - outstanding: chunks range by_lease, what is dispatched or leased. Due groups: lanes loose scan of by_destination, one step each
 *   ("Using index for group-by"). Due lanes: range by_destination, index only. Is a campaign done: chunks ref by_campaign, one entry of each partition.
 * - a page of the audience: list_members range by PRIMARY for each list, profiles range by PRIMARY 900 at a time, exclusions unique_subquery.
 */
import type { Knex } from 'knex';

const text = 'DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ENGINE=InnoDB';
const ascii = (length: number) => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`;
const states = [
  'pending',
  'attempting',
  'sent',
  'bounced',
  'deferred',
  'in_doubt',
  'suppressed',
  'skipped',
  'cancelled',
  'expired',
];
const counts = (type: string) => states.map((state) => `n_${state} ${type} NOT NULL DEFAULT 0`).join(', ');
const byWeek = 'PARTITION BY RANGE (part) (PARTITION p_max VALUES LESS THAN MAXVALUE)';

const tables = [
  `CREATE TABLE installation (
    name ${ascii(32)} NOT NULL PRIMARY KEY, value VARBINARY(255) NOT NULL) ${text}`,

  `CREATE TABLE tenants (
    id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(200) NOT NULL, weight INT NOT NULL DEFAULT 100,
    created_at DATETIME(3) NOT NULL) ${text}`,

  `CREATE TABLE api_keys (
    id BIGINT NOT NULL PRIMARY KEY, tenant_id BIGINT NOT NULL, name VARCHAR(200) NOT NULL,
    key_hash BINARY(32) NOT NULL, hint ${ascii(8)} NOT NULL, scopes ${ascii(500)} NOT NULL,
    created_at DATETIME(3) NOT NULL, last_used_at DATETIME(3) NULL, revoked_at DATETIME(3) NULL,
    UNIQUE KEY by_hash (key_hash), KEY by_tenant (tenant_id, id)) ${text}`,

  `CREATE TABLE idempotency_keys (
    tenant_id BIGINT NOT NULL, key_hash BINARY(32) NOT NULL, request_hash BINARY(32) NOT NULL,
    owner ${ascii(32)} NOT NULL, locked_until DATETIME(3) NULL,
    status SMALLINT NULL, headers TEXT NULL, body MEDIUMTEXT NULL, created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, key_hash), KEY by_age (created_at)) ${text}`,

  `CREATE TABLE profiles (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL AUTO_INCREMENT,
    email VARCHAR(254) NULL, email_hash BINARY(16) NULL, phone ${ascii(20)} NULL,
    time_zone ${ascii(64)} NULL, consent TEXT NULL, attributes MEDIUMTEXT NULL,
    created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL, erased_at DATETIME(3) NULL,
    PRIMARY KEY (tenant_id, id), UNIQUE KEY by_email (tenant_id, email_hash), KEY by_id (id)) ${text}`,

  `CREATE TABLE lists (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, name VARCHAR(200) NOT NULL,
    created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, id)) ${text}`,

  `CREATE TABLE list_members (
    tenant_id BIGINT NOT NULL, list_id BIGINT NOT NULL, profile_id BIGINT NOT NULL, added_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, list_id, profile_id), KEY by_profile (tenant_id, profile_id)) ${text}`,

  `CREATE TABLE imports (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, format ${ascii(8)} NOT NULL, list_id BIGINT NULL,
    state ${ascii(12)} NOT NULL, received_bytes BIGINT NOT NULL DEFAULT 0,
    n_rows INT NOT NULL DEFAULT 0, n_accepted INT NOT NULL DEFAULT 0, n_rejected INT NOT NULL DEFAULT 0,
    failure VARCHAR(500) NULL, owner ${ascii(32)} NULL, lease_until DATETIME(3) NULL, tries TINYINT NOT NULL DEFAULT 0,
    created_at DATETIME(3) NOT NULL, finished_at DATETIME(3) NULL,
    PRIMARY KEY (tenant_id, id), KEY by_state (state, lease_until)) ${text}`,

  `CREATE TABLE import_blocks (
    tenant_id BIGINT NOT NULL, import_id BIGINT NOT NULL, block_no INT NOT NULL, data MEDIUMBLOB NOT NULL,
    PRIMARY KEY (tenant_id, import_id, block_no)) ${text}`,

  `CREATE TABLE import_errors (
    tenant_id BIGINT NOT NULL, import_id BIGINT NOT NULL, line INT NOT NULL, field VARCHAR(64) NULL, detail VARCHAR(500) NOT NULL,
    PRIMARY KEY (tenant_id, import_id, line)) ${text}`,

  `CREATE TABLE templates (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, name VARCHAR(200) NOT NULL, latest_version INT NOT NULL,
    created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, id)) ${text}`,

  `CREATE TABLE template_versions (
    tenant_id BIGINT NOT NULL, template_id BIGINT NOT NULL, version INT NOT NULL,
    subject TEXT NOT NULL, preheader TEXT NULL, mjml MEDIUMTEXT NULL, html MEDIUMTEXT NOT NULL, text_part MEDIUMTEXT NULL,
    created_at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, template_id, version)) ${text}`,

  // tenant_id null: the platform's, shared by all tenants. One name space of ids, hence the primary key.
  `CREATE TABLE transports (
    id BIGINT NOT NULL PRIMARY KEY, tenant_id BIGINT NULL, name VARCHAR(200) NOT NULL, kind ${ascii(16)} NOT NULL,
    settings TEXT NOT NULL, limits TEXT NOT NULL, secret VARBINARY(4096) NULL, destination_mode ${ascii(12)} NOT NULL,
    version INT NOT NULL DEFAULT 1, created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL, deleted_at DATETIME(3) NULL,
    KEY by_tenant (tenant_id, id)) ${text}`,

  `CREATE TABLE destinations (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, transport_id BIGINT NOT NULL, name ${ascii(64)} NOT NULL,
    UNIQUE KEY by_name (transport_id, name)) ${text}`,

  // scope: '*' for every message of the tenant, or 'list:<id>'.
  `CREATE TABLE suppressions (
    tenant_id BIGINT NOT NULL, address_hash BINARY(16) NOT NULL, scope ${ascii(32)} NOT NULL,
    reason ${ascii(24)} NOT NULL, source ${ascii(64)} NOT NULL, at DATETIME(3) NOT NULL,
    PRIMARY KEY (tenant_id, address_hash, scope)) ${text}`,

  `CREATE TABLE campaigns (
    tenant_id BIGINT NOT NULL, id BIGINT NOT NULL, part MEDIUMINT UNSIGNED NOT NULL, name VARCHAR(200) NOT NULL,
    class TINYINT NOT NULL, state ${ascii(12)} NOT NULL, paused_at DATETIME(3) NULL,
    send_at DATETIME(3) NULL, deadline_at DATETIME(3) NULL,
    transport_id BIGINT NULL, template_id BIGINT NULL, template_version INT NULL,
    audience TEXT NOT NULL, message TEXT NOT NULL, in_doubt_policy ${ascii(20)} NOT NULL, deliver_within_s INT NOT NULL,
    expansion_cursor BIGINT NOT NULL DEFAULT 0, expansion_done TINYINT NOT NULL DEFAULT 0, next_chunk_no INT NOT NULL DEFAULT 0,
    estimated_recipients INT NULL, settling TINYINT NOT NULL DEFAULT 0, parked TINYINT NOT NULL DEFAULT 0,
    failure VARCHAR(500) NULL, version INT NOT NULL DEFAULT 1,
    created_at DATETIME(3) NOT NULL, updated_at DATETIME(3) NOT NULL, started_at DATETIME(3) NULL, finished_at DATETIME(3) NULL,
    PRIMARY KEY (tenant_id, id), KEY by_state (state, send_at), KEY by_settling (settling, state)) ${text}`,

  `CREATE TABLE campaign_counters (
    tenant_id BIGINT NOT NULL, campaign_id BIGINT NOT NULL, slot TINYINT NOT NULL, ${counts('INT')},
    PRIMARY KEY (tenant_id, campaign_id, slot)) ${text}`,

  `CREATE TABLE chunks (
    tenant_id BIGINT NOT NULL, campaign_id BIGINT NOT NULL, chunk_no INT NOT NULL, part MEDIUMINT UNSIGNED NOT NULL,
    destination_id BIGINT NOT NULL, class TINYINT NOT NULL, state TINYINT NOT NULL DEFAULT 0,
    epoch INT NOT NULL DEFAULT 0, owner ${ascii(32)} NULL, grant_n SMALLINT NOT NULL DEFAULT 0,
    lease_until DATETIME(3) NULL, due_at DATETIME(3) NOT NULL, size SMALLINT NOT NULL, crashes TINYINT NOT NULL DEFAULT 0,
    ${counts('SMALLINT')},
    PRIMARY KEY (tenant_id, campaign_id, chunk_no, part),
    KEY by_lane (tenant_id, destination_id, class, state, due_at),
    KEY by_lease (state, lease_until),
    KEY by_campaign (tenant_id, campaign_id, state, n_in_doubt)) ${text} ${byWeek}`,

  `CREATE TABLE deliveries (
    tenant_id BIGINT NOT NULL, campaign_id BIGINT NOT NULL, chunk_no INT NOT NULL, seq SMALLINT NOT NULL, part MEDIUMINT UNSIGNED NOT NULL,
    profile_id BIGINT NOT NULL, address_hash BINARY(16) NOT NULL, state TINYINT NOT NULL DEFAULT 0, epoch INT NOT NULL DEFAULT 0,
    attempts TINYINT UNSIGNED NOT NULL DEFAULT 0, next_attempt_at DATETIME(3) NULL, reply_code SMALLINT NULL,
    reason VARCHAR(240) NULL, settled_by ${ascii(16)} NULL, outcome_at DATETIME(3) NULL,
    PRIMARY KEY (tenant_id, campaign_id, chunk_no, seq, part)) ${text} ${byWeek}`,

  `CREATE TABLE lanes (
    tenant_id BIGINT NOT NULL, destination_id BIGINT NOT NULL, class TINYINT NOT NULL,
    next_due_at DATETIME(3) NULL, deficit INT NOT NULL DEFAULT 0, weight INT NOT NULL DEFAULT 100,
    PRIMARY KEY (tenant_id, destination_id, class), KEY by_destination (destination_id, class, next_due_at)) ${text}`,

  `CREATE TABLE leases (
    name ${ascii(32)} NOT NULL PRIMARY KEY, owner ${ascii(32)} NOT NULL, epoch INT NOT NULL, \`until\` DATETIME(3) NOT NULL) ${text}`,
];

export async function up(knex: Knex): Promise<void> {
  for (const table of tables) await knex.raw(table);
}

export async function down(): Promise<void> {
  throw new Error('Migrations go forward only: restore a backup instead');
}
