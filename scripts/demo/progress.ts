/** Live progress: one line that is rewritten on a terminal, a line every few seconds elsewhere. */
import type { Sql } from '../../src/platform/mysql.ts';
import type { ApiClient, Json } from './api-client.ts';

export interface ProgressOptions {
  readonly api: ApiClient;
  readonly db: Sql;
  readonly campaignId: string;
  readonly signal: AbortSignal;
}

const plainEveryMs = 3_000;
const lanesShown = 4;

/** Follows the campaign's stream until it is done; answers the last progress. */
export async function followProgress({ api, db, campaignId, signal }: ProgressOptions): Promise<Json> {
  let last: Json;
  let shownAt = 0;
  for await (const { data } of api.events(`/v1/campaigns/${campaignId}/progress/stream`, signal)) {
    last = data;
    const isLive = process.stdout.isTTY;
    if (!isLive && performance.now() - shownAt < plainEveryMs) continue;
    shownAt = performance.now();
    const line = `${formatProgress(data)}  ${await describeLanes(db)}`;
    process.stdout.write(
      isLive ? `\r\x1b[K${line.slice(0, (process.stdout.columns ?? 120) - 1)}` : `${line}\n`,
    );
  }
  if (process.stdout.isTTY) process.stdout.write('\n');
  return last;
}

function formatProgress({ recipients, rate_per_second: rate, eta_seconds: eta, state }: Json): string {
  const { total, pending, attempting, deferred } = recipients;
  const settled = total - pending - attempting - deferred;
  const percent = total > 0 ? Math.floor((100 * settled) / total) : 0;
  return `${state} ${percent}%  ${settled}/${total}  ${Math.round(rate ?? 0)}/s  ETA ${eta === null ? '-' : `${Math.ceil(eta)} s`}`;
}

/** The lanes with the most left: recipients not settled, by destination. */
async function describeLanes(db: Sql): Promise<string> {
  const lanes = await db.rows<{ name: string; left_over: number }>(
    `SELECT d.name, SUM(c.n_pending + c.n_attempting + c.n_deferred) AS left_over
     FROM chunks c JOIN destinations d ON d.id = c.destination_id WHERE c.state <> 3
     GROUP BY d.name ORDER BY left_over DESC LIMIT ?`,
    [lanesShown],
  );
  return lanes.map((lane) => `${lane.name} ${lane.left_over}`).join(', ');
}
