/** Statements that the server is asked to run, by the second. */
import type { Database } from '../../platform/mysql.ts';
import type { Series } from './experiment.ts';

export interface SecondOfLoad {
  /** Its end, ms since 1970. */
  readonly at: number;
  readonly statements: number;
}

export interface DatabaseLoad {
  stop(): Promise<readonly SecondOfLoad[]>;
}

export function watchDatabase(db: Database): DatabaseLoad {
  const samples: { at: number; total: number }[] = [];
  const read = async () => {
    const row = await db.first<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Questions'");
    samples.push({ at: Date.now(), total: Number(row?.Value) });
  };
  let reading = read();
  const timer = setInterval(() => {
    reading = reading.then(read, read);
  }, 1_000);
  return {
    async stop() {
      clearInterval(timer);
      await reading;
      return samples.slice(1).map(({ at, total }, i) => {
        const before = samples[i] as { at: number; total: number };
        return { at, statements: ((total - before.total) * 1_000) / Math.max(1, at - before.at) };
      });
    },
  };
}

export function loadSeries(load: readonly SecondOfLoad[], startMs: number): Series {
  const points = load.map(({ at, statements }): [number, number] => [(at - startMs) / 1_000, statements]);
  return { name: 'database', unit: 'statements/s', points };
}
