import { closeSync, openSync, writeSync } from 'node:fs';
import { type AcceptedMessage, formatLogLine } from './accepted-message.ts';

/**
 * The oracle's memory outside the process. Written synchronously: when the 250 leaves, the line is in the kernel, so that a sink killed
 * the moment after has still told what it accepted.
 */
export class LogFile {
  readonly #path: string;
  #descriptor: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  append(message: AcceptedMessage): void {
    this.#descriptor ??= openSync(this.#path, 'a');
    writeSync(this.#descriptor, formatLogLine(message));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
