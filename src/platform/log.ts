/** Structured logs. Field names are the same everywhere: see `logFields` in ARCHITECTURE.md's glossary. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { activeTraceFields } from '../tracing/log-fields.ts';

export type Log = Logger;

/** Anything under these names never reaches a log line, wherever it stands. `sql`: mysql2's errors carry the statement with its values. */
const secretPaths = ['sql', 'password', 'secret', 'token', 'apiKey', 'authorization', 'cookie'];

/** `to`: default is standard output. */
export function createLog(process: string, level: string, to?: DestinationStream): Log {
  const options = {
    level,
    base: { process, pid: globalThis.process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: activeTraceFields,
    redact: secretPaths.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
  };
  return to ? pino(options, to) : pino(options);
}
