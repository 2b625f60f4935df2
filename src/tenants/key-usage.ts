/**
 * When each key was last used: noted in memory by every request, written for all keys together, and for one key at
 * most once a minute. If we die, up to a minute of notes is lost: it is a hint for people, nothing counts on it.
 */
import type { ApiKeyId, TenantId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/mysql.ts';

export interface KeyUsage extends Lifecycle {
  note(tenantId: TenantId, apiKeyId: ApiKeyId): void;
  /** Writes what was noted and is due. */
  flush(): Promise<void>;
}

const perKeyMs = 60_000;
const flushMs = 10_000;
const rowsPerStatement = 200;

type Used = readonly [tenantId: TenantId, apiKeyId: ApiKeyId];

export function createKeyUsage({ sql, clock, log }: { sql: Sql; clock: Clock; log: Log }): KeyUsage {
  const writtenAt = new Map<ApiKeyId, number>();
  const used = new Map<ApiKeyId, Used>();

  async function flush(): Promise<void> {
    const due = [...used.values()];
    used.clear();
    forgetOld(writtenAt, clock.monotonic());
    for (let i = 0; i < due.length; i += rowsPerStatement)
      await writeUsed(sql, due.slice(i, i + rowsPerStatement));
  }

  const loop = createLoop({
    name: 'key-usage',
    log,
    idleMs: flushMs,
    pass: async () => {
      await flush();
      return 'idle';
    },
  });

  return {
    note(tenantId, apiKeyId) {
      if (writtenAt.has(apiKeyId) && clock.monotonic() - (writtenAt.get(apiKeyId) ?? 0) < perKeyMs) return;
      writtenAt.set(apiKeyId, clock.monotonic());
      used.set(apiKeyId, [tenantId, apiKeyId]);
    },
    flush,
    start: loop.start,
    async stop() {
      await loop.stop();
      await flush().catch((error) => log.warn({ err: error }, 'last use of keys not written'));
    },
  };
}

function forgetOld(writtenAt: Map<ApiKeyId, number>, now: number): void {
  for (const [id, at] of writtenAt) if (now - at >= perKeyMs) writtenAt.delete(id);
}

/** By primary key, in its order, so that two processes lock the same rows in the same order. */
async function writeUsed(sql: Sql, used: readonly Used[]): Promise<void> {
  const rows = used.toSorted((a, b) => a[1] - b[1]);
  await sql.write(
    `UPDATE api_keys SET last_used_at = NOW(3)
     WHERE id IN (?) AND (tenant_id, id) IN (?)`,
    [rows.map(([, id]) => id), rows],
  );
}
