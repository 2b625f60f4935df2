/** Structured logs. Field names are the same everywhere: see `logFields` in ARCHITECTURE.md's glossary. */
import { type Logger, pino } from 'pino';

export type Log = Logger;

/** Anything under these names never reaches a log line, wherever it stands. `sql`: mysql2's errors carry the statement with its values. */
const secretPaths = ['sql', 'password', 'secret', 'token', 'apiKey', 'authorization', 'cookie'];

export function createLog(process: string, level: string): Log {
  return pino({
    level,
    base: { process, pid: globalThis.process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: secretPaths.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  });
}
