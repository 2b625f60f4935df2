/** One connection through a proxy: a client of ours, a server, and what the rules do in between. */
import { connect, type Socket } from 'node:net';
import type { ProxiedRequest } from './proxy-rule.ts';
import type { CountingRule, ProxyRules } from './proxy-rules.ts';

export type ProxyMode =
  | { readonly kind: 'pass' }
  /** Each direction this much later. */
  | { readonly kind: 'slow'; readonly latencyMs: number }
  /** Connections are taken and everything is swallowed: a partition. */
  | { readonly kind: 'blackhole' }
  /** New connections are reset. */
  | { readonly kind: 'refuse' };

export interface LinkOptions {
  readonly client: Socket;
  readonly targetPort: number;
  readonly rules: ProxyRules;
  readonly mode: () => ProxyMode;
  readonly closed: () => void;
}

/** Of each end of a request: a Lua script that travels whole has its keys behind it. */
const keptTextBytes = 6_000;
const keptTransactionBytes = 24_000;

export class ProxyLink {
  readonly #options: LinkOptions;
  readonly #server: Socket;
  #transaction = '';
  #isInTransaction = false;
  /** What waits while a rule holds this direction; undefined: nothing is held. */
  #heldRequests: Buffer[] | undefined;
  #heldReplies: Buffer[] | undefined;
  #cutsAtReply = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#server = connect({ host: '127.0.0.1', port: options.targetPort, noDelay: true });
    options.client.setNoDelay(true);
    options.client.on('data', (data) => this.#fromClient(data));
    this.#server.on('data', (data) => this.#fromServer(data));
    for (const socket of [options.client, this.#server]) {
      socket.on('error', () => this.cut());
      socket.on('close', () => this.cut());
    }
  }

  /** RST to both sides. */
  cut(): void {
    this.#options.client.resetAndDestroy();
    this.#server.destroy();
    this.#options.closed();
  }

  #fromClient(data: Buffer): void {
    if (this.#options.mode().kind === 'blackhole') return;
    if (this.#heldRequests) this.#heldRequests.push(data);
    else this.#decide(data);
  }

  #decide(data: Buffer): void {
    const text = textOf(data);
    const rule = this.#options.rules.decide({ text, ...this.#place(text) });
    if (rule?.action === 'cutRequest') this.cut();
    else if (rule?.action === 'holdRequest') this.#holdRequest(data, rule);
    else this.#forward(data, rule);
  }

  /** Where in its transaction it stands. */
  #place(text: string): Omit<ProxiedRequest, 'text'> {
    if (text.includes('START TRANSACTION')) this.#isInTransaction = true;
    const before = this.#isInTransaction ? this.#transaction : '';
    this.#transaction = `${before}${text}\n`.slice(-keptTransactionBytes);
    const transaction = this.#transaction;
    const ends = /COMMIT|ROLLBACK/.test(text);
    const commits = ends ? text.includes('COMMIT') : !this.#isInTransaction;
    if (ends) this.#isInTransaction = false;
    return { transaction, commits };
  }

  #holdRequest(data: Buffer, rule: CountingRule): void {
    this.#heldRequests = [data];
    rule.hold(() => this.#releaseRequests());
  }

  #forward(data: Buffer, rule: CountingRule | undefined): void {
    if (rule?.action === 'cutReply') this.#cutsAtReply = true;
    if (rule?.action === 'holdReply') {
      this.#heldReplies = [];
      rule.hold(() => this.#releaseReplies());
    }
    this.#pass(this.#server, data);
  }

  #fromServer(data: Buffer): void {
    if (this.#options.mode().kind === 'blackhole') return;
    if (this.#cutsAtReply) this.cut();
    else if (this.#heldReplies) this.#heldReplies.push(data);
    else this.#pass(this.#options.client, data);
  }

  #pass(to: Socket, data: Buffer): void {
    const mode = this.#options.mode();
    const write = () => {
      if (to.writable) to.write(data);
    };
    if (mode.kind === 'slow') setTimeout(write, mode.latencyMs);
    else write();
  }

  #releaseRequests(): void {
    const held = this.#heldRequests ?? [];
    this.#heldRequests = undefined;
    for (const data of held) this.#pass(this.#server, data);
  }

  #releaseReplies(): void {
    const held = this.#heldReplies ?? [];
    this.#heldReplies = undefined;
    for (const data of held) this.#pass(this.#options.client, data);
  }
}

function textOf(data: Buffer): string {
  if (data.length <= 2 * keptTextBytes) return data.toString('latin1');
  return `${data.toString('latin1', 0, keptTextBytes)}\n${data.toString('latin1', data.length - keptTextBytes)}`;
}
