/** A DNS server over UDP on 127.0.0.1 that knows MX records and nothing else: enough for a resolver to ask (RFC 1035, section 4). */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface TestDnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Names that were asked for, in order. */
  readonly asked: readonly string[];
  /** Questions that wait for an answer now, and the most that ever did. */
  readonly mostAtOnce: number;
  stop(): Promise<void>;
}

export interface DnsAnswers {
  /** MX hosts by domain, preferred first. An unknown domain doesn't exist. */
  readonly mx: Readonly<Record<string, readonly string[]>>;
  /** Asked for these, it says nothing. */
  readonly silent?: (domain: string) => boolean;
  /** Answers after this. */
  readonly delayMs?: number;
}

export async function startDnsServer({ mx, silent, delayMs = 0 }: DnsAnswers): Promise<TestDnsServer> {
  const socket: Socket = createSocket('udp4');
  const asked: string[] = [];
  let [atOnce, mostAtOnce] = [0, 0];
  socket.on('message', (query, { port, address }) => {
    const name = readName(query);
    asked.push(name);
    if (silent?.(name)) return;
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    setTimeout(() => {
      atOnce--;
      socket.send(answer(query, mx[name]), port, address);
    }, delayMs);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    get mostAtOnce() {
      return mostAtOnce;
    },
    async stop() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

const headerBytes = 12;

function readName(query: Buffer): string {
  const labels: string[] = [];
  let at = headerBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length));
    at += length + 1;
  }
  return labels.join('.').toLowerCase();
}

/** The query's header and question again, as a response; then the records, each pointing at the question's name. */
function answer(query: Buffer, hosts: readonly string[] | undefined): Buffer {
  const question = query.subarray(headerBytes, questionEnd(query));
  const header = Buffer.alloc(headerBytes);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (hosts ? 0 : 3), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(hosts?.length ?? 0, 6);
  return Buffer.concat([header, question, ...(hosts ?? []).map(mxRecord)]);
}

function questionEnd(query: Buffer): number {
  return query.indexOf(0, headerBytes) + 5;
}

function mxRecord(host: string, at: number): Buffer {
  const name = Buffer.concat([
    ...host.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
  const fixed = Buffer.alloc(14);
  fixed.writeUInt16BE(0xc00c, 0);
  fixed.writeUInt16BE(15, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(300, 6);
  fixed.writeUInt16BE(name.length + 2, 10);
  fixed.writeUInt16BE((at + 1) * 10, 12);
  return Buffer.concat([fixed, name]);
}
