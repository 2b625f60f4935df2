/**
 * The fleet's share of the database: however many processes run, together they have only so many statements under way.
 *
 * Each process keeps a row in `leases` while it lives, counts the others', and takes an equal share. Workers added in a panic then make the
 * shares smaller instead of the database slower (a big sender's Cyber Monday went wrong just so). A process that died counts for
 * one more term; while MySQL is away the last share stands.
 */
import type { Log } from './log.ts';
import { createLoop, type Loop } from './loop.ts';
import type { Database } from './mysql.ts';

export interface FleetShareOptions {
  readonly db: Database;
  readonly log: Log;
  /** This process, as in leases. */
  readonly owner: string;
  /** Statements under way for all processes together. */
  readonly fleetConnections: number;
  /** At most so many for this process. */
  readonly ownConnections: number;
  readonly termMs?: number;
}

/** One for the statement that commits, one for whatever that may wait for. */
const smallestShare = 2;

export function createFleetShare(options: FleetShareOptions): Loop {
  const { db, log, owner, fleetConnections, ownConnections, termMs = 15_000 } = options;
  const name = `m:${owner}`;

  async function pass(): Promise<'idle'> {
    await db.write(
      `INSERT INTO leases (name, owner, epoch, \`until\`) VALUES (?, ?, 0, NOW(3) + INTERVAL ? MICROSECOND)
       ON DUPLICATE KEY UPDATE \`until\` = VALUES(\`until\`)`,
      [name, owner, termMs * 1000],
    );
    const row = await db.first<{ n: number }>(
      "SELECT COUNT(*) AS n FROM leases WHERE name LIKE 'm:%' AND `until` > NOW(3)",
    );
    const share = shareOf(fleetConnections, row?.n ?? 1, ownConnections);
    if (share !== db.concurrency) log.info({ share, members: row?.n }, 'share of the database');
    db.concurrency = share;
    return 'idle';
  }

  const loop = createLoop({ name: 'fleet-share', log, idleMs: termMs / 3, pass });
  return {
    ...loop,
    async start() {
      await pass();
      await loop.start();
    },
    async stop() {
      await loop.stop();
      // Without a database the row is forgotten when its term is over.
      await db.write(
        "DELETE FROM leases WHERE name = ? OR (name LIKE 'm:%' AND `until` < NOW(3) - INTERVAL 1 HOUR)",
        [name],
      );
    },
  };
}

export function shareOf(fleet: number, members: number, own: number): number {
  return Math.max(smallestShare, Math.min(own, Math.floor(fleet / members)));
}
