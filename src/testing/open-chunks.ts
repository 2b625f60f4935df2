/** What a campaign still waits for, for a test that has given up: each chunk that is not done, and what its recipients are. */
import { chunkStates, deliveryStateName } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';

interface OpenRow {
  readonly chunk: string;
  readonly state: number;
  readonly at: string;
}

interface RowsOf {
  readonly chunk: string;
  readonly state: number;
  readonly n: number;
  readonly reason: string | null;
}

const chunkName = "CONCAT(c.campaign_id, '-', c.chunk_no)";

/** One line each; none when all is done. */
export async function readOpenChunks(sql: Sql): Promise<readonly string[]> {
  const open = await sql.rows<OpenRow>(
    `SELECT ${chunkName} AS chunk, c.state,
       CONCAT_WS(' ', 'epoch', c.epoch, 'crashes', c.crashes, 'due', c.due_at, 'lease', c.lease_until, 'owner', c.owner,
         'lane due', (SELECT l.next_due_at FROM lanes l WHERE l.tenant_id = c.tenant_id AND l.destination_id = c.destination_id AND l.class = c.class),
         'now', NOW(3)) AS at
     FROM chunks c WHERE c.state <> ${chunkStates.done}`,
  );
  if (open.length === 0) return [];
  const rows = await sql.rows<RowsOf>(
    `SELECT ${chunkName} AS chunk, d.state, COUNT(*) AS n, MIN(d.reason) AS reason
     FROM chunks c JOIN deliveries d ON d.tenant_id = c.tenant_id AND d.campaign_id = c.campaign_id AND d.chunk_no = c.chunk_no AND d.part = c.part
     WHERE c.state <> ${chunkStates.done} GROUP BY 1, 2`,
  );
  return open.map((chunk) => describe(chunk, rows));
}

function describe({ chunk, state, at }: OpenRow, rows: readonly RowsOf[]): string {
  const stateName = Object.entries(chunkStates).find(([, code]) => code === state)?.[0];
  const recipients = rows
    .filter((row) => row.chunk === chunk)
    .map((row) => `${row.n} ${deliveryStateName(row.state)}${row.reason ? ` (${row.reason})` : ''}`);
  return `${chunk} ${stateName}: ${recipients.join(', ')}; ${at}`;
}
