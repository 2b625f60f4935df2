/**
 * A connection that is ready for MAIL: our commands out, the server's replies in, one asker at a time.
 *
 * A server speaks only when it is asked, but for the 421 with which it ends a session (RFC 5321 §3.8, §4.2). Whatever else it says unasked means that
 * replies and commands no longer belong together, so either ends the connection.
 */
import type { Socket } from 'node:net';
import { type RawReply, ReplyReader } from './reply-reader.ts';

/** Who waits for the replies to what it said. */
export interface Asker {
  /** `isLast`: nothing came behind it so far. */
  replied(reply: RawReply, isLast: boolean): void;
  /** The connection is gone. `begun`: what there was of a reply. Called once, and nothing after it. */
  lost(text: string, begun: string): void;
}

export class SmtpDialogue {
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #reader = new ReplyReader();
  #asker: Asker | undefined;
  #isOver = false;

  /** `socket` speaks over `tcp`, or is the same. */
  constructor(socket: Socket, tcp: Socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#lose('the server closed the connection'));
    socket.on('close', () => this.#lose('the server closed the connection'));
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      this.#lose(`the connection broke (${code ?? message})`),
    );
  }

  /** Whether a command can still be written. */
  get isAlive(): boolean {
    return !this.#isOver && this.#socket.writable && !this.#tcp.destroyed;
  }

  /** Whether the server has begun a reply and not ended it. */
  get isInReply(): boolean {
    return this.#reader.isInReply;
  }

  /** From here on replies are `asker`'s, until `leave`. On a connection that is gone it is told so at once. */
  attend(asker: Asker): void {
    if (this.#asker) throw new Error('somebody else waits for replies');
    if (this.isAlive) this.#asker = asker;
    else asker.lost('the connection is closed', '');
  }

  leave(): void {
    this.#asker = undefined;
  }

  say(commands: string): void {
    if (!this.#isOver) this.#socket.write(commands);
  }

  /** `written` is called when the kernel has the bytes, and not called if the connection ends first. */
  write(bytes: Buffer, written: () => void): void {
    if (!this.#isOver) this.#socket.write(bytes, (error) => error ?? written());
  }

  /** Frees the connection at once, without a word. Idempotent. */
  drop(): void {
    this.#lose('the connection was closed');
    this.#socket.destroy();
    this.#tcp.destroy();
  }

  /**
   * The same by a reset: what the kernel still held of a message is thrown away and not sent after all, and a peer that has stopped
   * reading keeps nothing of ours open. Idempotent.
   */
  abort(): void {
    // First, while the socket still has its handle.
    this.#tcp.resetAndDestroy();
    this.drop();
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return;
    const replies = this.#reader.read(chunk);
    if (replies) this.#answer(replies, !this.#reader.isInReply);
    else this.#lose('a reply of the server has no end');
  }

  #answer(replies: readonly RawReply[], isEnd: boolean): void {
    for (const [i, reply] of replies.entries()) {
      if (this.#isOver) return;
      if (this.#asker) this.#asker.replied(reply, isEnd && i === replies.length - 1);
      else this.drop();
    }
    if (!this.#asker && !isEnd) this.drop();
  }

  #lose(text: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.lost(text, this.#reader.begun);
    this.drop();
  }
}

/** Says one command and waits for its answer; undefined when none came in time or the connection ended. */
export function ask(
  dialogue: SmtpDialogue,
  command: string,
  timeoutMs: number,
): Promise<RawReply | undefined> {
  return new Promise((resolve) => {
    const settle = (reply?: RawReply) => {
      clearTimeout(timer);
      dialogue.leave();
      resolve(reply);
    };
    const timer = setTimeout(settle, timeoutMs);
    dialogue.attend({ replied: settle, lost: () => settle() });
    dialogue.say(`${command}\r\n`);
  });
}
