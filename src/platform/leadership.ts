/**
 * Leadership by a row in `leases`: one of several equal processes leads, the others stand by and take over within a term.
 *
 * Being leader is checked again inside each transaction that matters (`assertLeading`): a leader that was stopped for longer than its term
 * finds its statements refused, not doubled. If we die leading, the next one leads when the term is over.
 */
import { AppError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { Database, Sql } from './mysql.ts';

export interface Leadership {
  /** Takes or renews the lead where that is due; true while we lead. */
  lead(): Promise<boolean>;
  /** Throws unless we lead; holds the row until the transaction ends. */
  assertLeading(tx: Sql): Promise<void>;
  /** Hands the lead over at once; where that can't be written, the term runs out by itself. Never throws. */
  resign(): Promise<void>;
}

export interface LeadershipOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly name: string;
  readonly owner: string;
  readonly termMs?: number;
}

export function createLeadership({ db, clock, name, owner, termMs = 6_000 }: LeadershipOptions): Leadership {
  let leadsUntil = 0;
  let askAgainAt = 0;

  return {
    async lead() {
      const asked = clock.monotonic();
      if (asked < askAgainAt) return asked < leadsUntil;
      const isLeader = await takeLease(db, name, owner, termMs);
      leadsUntil = isLeader ? asked + termMs - 1_000 : 0;
      askAgainAt = asked + termMs / 4;
      return isLeader;
    },
    async assertLeading(tx) {
      const row = await tx.first(
        'SELECT 1 FROM leases WHERE name = ? AND owner = ? AND `until` > NOW(3) LOCK IN SHARE MODE',
        [name, owner],
      );
      if (row) return;
      leadsUntil = 0;
      throw new AppError('unavailable', { detail: `no longer leading ${name}` });
    },
    async resign() {
      leadsUntil = 0;
      askAgainAt = 0;
      const hand = db.write('UPDATE leases SET `until` = NOW(3) WHERE name = ? AND owner = ?', [name, owner]);
      await hand.catch(() => undefined);
    },
  };
}

/** Assignments run left to right: `owner` is decided by the old `until`, and the new `until` by the new owner. */
async function takeLease(db: Database, name: string, owner: string, termMs: number): Promise<boolean> {
  const term = termMs * 1000;
  await db.write(
    `INSERT INTO leases (name, owner, epoch, \`until\`) VALUES (?, ?, 1, NOW(3) + INTERVAL ? MICROSECOND)
     ON DUPLICATE KEY UPDATE
       epoch = IF(\`until\` < NOW(3) AND owner <> VALUES(owner), epoch + 1, epoch),
       owner = IF(\`until\` < NOW(3), VALUES(owner), owner),
       \`until\` = IF(owner = VALUES(owner), VALUES(\`until\`), \`until\`)`,
    [name, owner, term],
  );
  const row = await db.first('SELECT 1 FROM leases WHERE name = ? AND owner = ? AND `until` > NOW(3)', [
    name,
    owner,
  ]);
  return row !== undefined;
}
