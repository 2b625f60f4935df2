/** MySQL's and Redis's processes, where they run on this machine, so that their CPU counts, too. They may work for others at the same time. */
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { Sql } from '../../src/platform/mysql.ts';

/** Process ids by name; without those that run elsewhere. */
export type Servers = Readonly<Record<string, number>>;

export async function readServers(sql: Sql, redisUrl: string): Promise<Servers> {
  const mysql = await readMysqlPid(sql);
  const redis = await readRedisPid(redisUrl);
  return { ...(mysql && { mysql }), ...(redis && { redis }) };
}

async function readMysqlPid(sql: Sql): Promise<number | undefined> {
  const row = await sql.first<{ file: string; folder: string }>(
    'SELECT @@pid_file AS file, @@datadir AS folder',
  );
  if (!row) return undefined;
  const path = row.file.startsWith('/') ? row.file : `${row.folder}/${row.file}`;
  return ifNamed(readPid(path), /^(mysqld|mariadbd)/);
}

async function readRedisPid(url: string): Promise<number | undefined> {
  const redis = new Redis(url);
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  redis.disconnect();
  return ifNamed(pid, /^(redis|valkey)/);
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8').trim());
  } catch {
    return undefined;
  }
}

/** A number from another machine, or another container, names another process here. */
function ifNamed(pid: number | undefined, name: RegExp): number | undefined {
  try {
    return pid && name.test(readFileSync(`/proc/${pid}/comm`, 'utf8')) ? pid : undefined;
  } catch {
    return undefined;
  }
}
