import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';

/** After our FIN, how long to wait for the client's before the socket is destroyed. */
const LINGER_MS = 1_000;

interface WireEvents {
  received(chunk: Buffer): void;
  idle(): void;
  closed(): void;
}

/**
 * The sink's end of one connection: replies gathered into one write, and all the ways a server can say them badly. Timers die with the
 * connection.
 */
export class Wire {
  /** The TCP socket, which is also what is reset when TLS runs over it. */
  readonly #tcp: Socket;
  readonly #events: WireEvents;
  readonly #timers = new Set<NodeJS.Timeout>();
  #socket: Socket;
  #unsent = '';
  #isOpen = true;

  constructor(tcp: Socket, events: WireEvents) {
    this.#tcp = tcp;
    this.#socket = tcp;
    this.#events = events;
    this.#listen(tcp);
    tcp.on('close', () => this.#closed());
  }

  /** False once we hung up, reset or lost it: what still comes in is thrown away. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isSecure(): boolean {
    return this.#socket !== this.#tcp;
  }

  /** Adds to what the next `flush` writes, so that pipelined commands are answered in one segment. */
  say(reply: string): void {
    this.#unsent += reply;
  }

  /** Writes what was said; `then` runs when the kernel has it. */
  flush(then?: () => void): void {
    const unsent = this.#unsent;
    this.#unsent = '';
    if (unsent !== '') this.#socket.write(unsent, 'latin1', then);
    else if (then !== undefined) then();
  }

  drip(reply: string, everyMs: number, then: () => void): void {
    this.split(reply, { sizes: [1], gapMs: everyMs }, then);
  }

  /** Writes the reply in pieces, with a pause between them so that TCP doesn't join them again. */
  split(reply: string, cut: { sizes: readonly number[]; gapMs: number }, then: () => void): void {
    const pieces = cutUp(reply, cut.sizes);
    const next = (): void => {
      this.say(pieces.shift() ?? '');
      this.flush(() => (pieces.length === 0 ? then() : this.later(cut.gapMs, next)));
    };
    next();
  }

  later(ms: number, then: () => void): void {
    if (this.#tcp.closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }

  /** FIN, after all that was said. What the client still sends is read and dropped, or the kernel would answer it with a reset. */
  hangUp(): void {
    this.#isOpen = false;
    this.flush();
    this.#socket.end();
    this.later(LINGER_MS, () => this.destroy());
  }

  /** RST, after all that was said. */
  reset(): void {
    this.#isOpen = false;
    this.flush(() => this.#tcp.resetAndDestroy());
  }

  destroy(): void {
    this.#isOpen = false;
    this.#socket.destroy();
    this.#tcp.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  closeWhenIdleFor(ms: number): void {
    this.#tcp.setTimeout(ms, () => this.#events.idle());
  }

  /** The server's side of a TLS handshake over the connection; `then` runs when it is done, and never if it fails. */
  secure(secureContext: SecureContext, then: () => void): void {
    this.#tcp.removeAllListeners('data');
    const tls = new TLSSocket(this.#tcp, { isServer: true, secureContext });
    this.#socket = tls;
    this.#listen(tls);
    tls.once('secure', then);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#isOpen && this.#events.received(chunk));
    // The client's trouble is not ours: 'close' follows each error.
    socket.on('error', () => socket.destroy());
  }

  #closed(): void {
    this.#isOpen = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#events.closed();
  }
}

function cutUp(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}
