import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One message the sink took responsibility for: logged before its 250 is written. */
export interface AcceptedMessage {
  /** Wall clock, ms since 1970. */
  readonly at: number;
  readonly connectionId: number;
  readonly from: string;
  readonly to: readonly string[];
  /** From the header, with its angle brackets; '' when there is none. */
  readonly messageId: string;
  /** Bytes of the message as its author wrote it: no terminator, no stuffed dots. */
  readonly size: number;
  /** The message itself, when it was kept. */
  readonly bytes?: Buffer;
}

/** One line of the log file: a JSON array, so that nothing in an address can break it. */
export function formatLogLine(message: AcceptedMessage): string {
  const { at, connectionId, from, to, messageId, size } = message;
  return `${JSON.stringify([at, connectionId, from, to, messageId, size])}\n`;
}

/** Reads a log file, also one that a killed sink left behind: an unfinished last line was never followed by a 250, and is left out. */
export async function* readAcceptedLog(path: string): AsyncGenerator<AcceptedMessage> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const message = parseLogLine(line);
    if (message !== undefined) yield message;
  }
}

function parseLogLine(line: string): AcceptedMessage | undefined {
  if (!line.endsWith(']')) return undefined;
  const [at, connectionId, from, to, messageId, size] = JSON.parse(line);
  return { at, connectionId, from, to, messageId, size };
}
