/** Which parts of the pipeline are alive, from `leases`: leaders hold one by name, and every process one of its own (`fleet-share.ts`). */
import type { Sql } from '../platform/mysql.ts';
import type { FleetFacts } from './campaign-facts.ts';

/** Processes are named after what they run; `all` runs everything. Costs a row for each process that ever ran in the last hours. */
export async function readFleet(sql: Sql): Promise<FleetFacts> {
  const rows = await sql.rows<{ name: string }>(
    `SELECT name FROM leases
     WHERE (name IN ('scheduler', 'dispatcher') OR name LIKE 'm:render-%' OR name LIKE 'm:send-%' OR name LIKE 'm:all-%')
       AND \`until\` > NOW(3) LIMIT 10000`,
  );
  const hasAny = (...prefixes: readonly string[]) =>
    rows.some(({ name }) => prefixes.some((prefix) => name.startsWith(prefix)));
  return {
    hasScheduler: hasAny('scheduler'),
    hasDispatcher: hasAny('dispatcher'),
    hasRenderWorker: hasAny('m:render-', 'm:all-'),
    hasSendWorker: hasAny('m:send-', 'm:all-'),
  };
}
