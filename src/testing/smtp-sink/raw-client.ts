import { connect, type Socket } from 'node:net';

/** How a connection ended, as the client saw it. */
export type Ending = 'fin' | 'reset';

/** A client without manners: sends exactly these bytes, and tells exactly what came back. For tests of servers and of faults. */
export class RawClient {
  readonly #socket: Socket;
  readonly ending: Promise<Ending>;
  #received = '';
  #isOver = false;
  #wake: (() => void) | undefined;
  #chunks = 0;

  /** Takes over a connected socket, plain or TLS. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.ending = new Promise((resolve) => {
      socket.once('end', () => resolve('fin'));
      socket.once('error', () => resolve('reset'));
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.once('close', () => {
      this.#isOver = true;
      this.#wake?.();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** In how many pieces all that came so far was delivered. */
  get chunksReceived(): number {
    return this.#chunks;
  }

  /** Resolves when the kernel has it. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The next line without its CRLF; rejects when the connection ends before it is complete. */
  async line(): Promise<string> {
    while (!this.#received.includes('\r\n')) await this.#more();
    const end = this.#received.indexOf('\r\n');
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 2);
    return line;
  }

  /** The next reply, of one or several lines. */
  async reply(): Promise<string> {
    const lines = [await this.line()];
    while (lines.at(-1)?.[3] === '-') lines.push(await this.line());
    return lines.join('\n');
  }

  /** Sends one command line and answers its reply. */
  async ask(command: string): Promise<string> {
    await this.send(`${command}\r\n`);
    return this.reply();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks++;
    this.#received += chunk.toString('latin1');
    this.#wake?.();
  }

  #more(): Promise<void> {
    if (this.#isOver) throw new Error(`The connection ended after ${JSON.stringify(this.#received)}`);
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * Plays a dialogue written as text, one line each, and throws where the server says something else:
 *
 *   C: NOOP            sent; `C:` lines in a row go out in one write
 *   S: 250 2.0.0 OK    one line that must come; `*` stands for anything
 *   S: <fin>           the server must close; `<reset>`: it must reset
 */
export async function playDialogue(client: RawClient, dialogue: string): Promise<void> {
  let unsent = '';
  for (const line of dialogue.split('\n').map((text) => text.trim())) {
    if (line.startsWith('C:')) unsent += `${line.slice(2).trimStart()}\r\n`;
    if (!line.startsWith('S:')) continue;
    if (unsent !== '') await client.send(unsent);
    unsent = '';
    await expectLine(client, line.slice(2).trim());
  }
  if (unsent !== '') await client.send(unsent);
}

async function expectLine(client: RawClient, wanted: string): Promise<void> {
  const isEnding = wanted === '<fin>' || wanted === '<reset>';
  const seen = isEnding ? `<${await client.ending}>` : await client.line();
  if (!matches(wanted, seen)) throw new Error(`Wanted "${wanted}", got "${seen}"`);
}

function matches(pattern: string, text: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`, 's').test(text);
}
