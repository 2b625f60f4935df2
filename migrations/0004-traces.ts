/**
 * campaigns.traceparent: the span of the request that scheduled a campaign, so that its expansion goes on from it and its grants point to it
 * (ADR 17). Only adds, and null without tracing: a process of the release before goes on beside it. Read by campaigns' primary key, with the
 * rows that are read anyway.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    'ALTER TABLE campaigns ADD COLUMN traceparent VARCHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL',
  );
}

export async function down(): Promise<void> {
  throw new Error('Migrations go forward only: restore a backup instead');
}
