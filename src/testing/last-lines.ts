/** Where a test's processes log to: the last lines are kept for a failure to tell. With TEST_LOG_LEVEL all are printed as well. */
import type { DestinationStream } from 'pino';

const mostLines = 60;

export class LastLines implements DestinationStream {
  readonly #lines: string[] = [];

  get lines(): readonly string[] {
    return this.#lines;
  }

  write(line: string): void {
    if (process.env.TEST_LOG_LEVEL) process.stdout.write(line);
    this.#lines.push(line.trimEnd());
    if (this.#lines.length > mostLines) this.#lines.shift();
  }
}
