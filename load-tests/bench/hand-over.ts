/**
 * What handing one message over costs on connections that are open already, against a sink in another process. Run after `npm run build`:
 *
 *   node dist/load-tests/bench/hand-over.js [--messages 20000] [--rounds 3] [--connections 1,10] [--sizes 10,40] [--before DIST]
 *
 * `bare` is a raw socket that writes the same constant bytes, pipelined, and looks at nothing: what Node's sockets cost by themselves.
 * With `--before`, the folder of another build's output: its transport takes turns with this one's in the same process, so that
 * the ratio holds on a busy machine. The sink is smtp-sink where PATH has it, our own otherwise.
 */
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { findFreePort } from '../../scripts/demo/children.ts';
import { wireBuffers } from '../../src/render/splice.ts';
import type { Courier, OutboundMessage, Transport } from '../../src/transports/contract.ts';
import { hostPolicy } from '../../src/transports/host-policy.ts';
import type { SmtpConfiguration } from '../../src/transports/smtp-session.ts';
import { smtpSettings, transportLimits } from '../../src/transports/smtp-settings.ts';
import { smtpTransport } from '../../src/transports/smtp-transport.ts';
import { startTarget } from './target.ts';

type OpenTransport = (configuration: SmtpConfiguration) => Transport;

interface Cost {
  readonly wallMicros: number;
  readonly cpuMicros: number;
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '1,10' },
    sizes: { type: 'string', default: '10,40' },
    before: { type: 'string' },
  },
});
const messages = Number(values.messages);
const contenders = await findContenders();
const target = await startTarget(await findFreePort());
process.stdout.write(
  `${target.name}, ${messages} messages a round, the best of ${values.rounds}; wall / CPU µs a message\n`,
);
try {
  for (const kilobytes of values.sizes.split(',').map(Number)) {
    for (const connections of values.connections.split(',').map(Number))
      await compare(kilobytes, connections);
  }
} finally {
  target.stop();
}

async function findContenders(): Promise<[name: string, open: OpenTransport][]> {
  const own: [string, OpenTransport][] = [
    ['bare', bareTransport],
    ['now', smtpTransport],
  ];
  if (values.before === undefined) return own;
  const file = pathToFileURL(resolve(values.before, 'src/transports/smtp-transport.js'));
  const other = (await import(file.href)) as { smtpTransport: OpenTransport };
  return [['before', other.smtpTransport], ...own];
}

async function compare(kilobytes: number, connections: number): Promise<void> {
  const best = new Map<string, Cost>();
  const message = messageOf(kilobytes * 1024);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, open] of contenders) {
      const cost = await measure(open, message, connections);
      const known = best.get(name);
      if (!known || cost.wallMicros < known.wallMicros) best.set(name, cost);
    }
  }
  const costs = [...best].map(
    ([name, { wallMicros, cpuMicros }]) => `${name} ${wallMicros.toFixed(1)} / ${cpuMicros.toFixed(1)}`,
  );
  process.stdout.write(`${kilobytes} KB, ${connections} connections: ${costs.join(', ')}\n`);
}

async function measure(open: OpenTransport, message: OutboundMessage, connections: number): Promise<Cost> {
  const couriers = await Promise.all(Array.from({ length: connections }, () => openCourier(open)));
  await shareOut(couriers, message, Math.ceil(messages / 10));
  const startedAt = performance.now();
  const cpuAtStart = process.cpuUsage();
  await shareOut(couriers, message, messages);
  const { user, system } = process.cpuUsage(cpuAtStart);
  const wallMicros = ((performance.now() - startedAt) * 1000) / messages;
  await Promise.all(couriers.map((courier) => courier.close()));
  return { wallMicros, cpuMicros: (user + system) / messages };
}

async function openCourier(open: OpenTransport): Promise<Courier> {
  const opened = await open({
    settings: smtpSettings.parse({ host: '127.0.0.1', port: target.port, tls: 'none' }),
    limits: transportLimits.parse({ messagesPerConnection: 0 }),
    hostPolicy: hostPolicy({ allowPrivate: true }),
  }).open();
  if (opened.kind === 'failed') throw new Error(JSON.stringify(opened.failure));
  return opened.courier;
}

async function shareOut(
  couriers: readonly Courier[],
  message: OutboundMessage,
  count: number,
): Promise<void> {
  let left = count;
  await Promise.all(
    couriers.map(async (courier) => {
      // One more is announced behind each, as the send stage has it, until all are given out.
      const take = () => (left-- > 0 ? message : undefined);
      let next = take();
      while (next) {
        let announced: OutboundMessage | undefined;
        const [outcome] = await courier.deliver(
          [next],
          () => true,
          () => {
            announced = take();
            return announced;
          },
        );
        next = announced ?? take();
        if (outcome?.kind !== 'accepted') throw new Error(JSON.stringify(outcome));
      }
    }),
  );
}

function bareTransport({ settings }: SmtpConfiguration): Transport {
  return {
    capabilities: { messagesPerCall: 1, maxCouriers: 10 },
    async open() {
      const socket = connect(settings.port, settings.host).setNoDelay();
      const heard = (code: string) =>
        new Promise<void>((resolve) => {
          socket.on('data', function listen(chunk) {
            if (!chunk.includes(`${code} `)) return;
            socket.off('data', listen);
            resolve();
          });
        });
      await heard('220');
      socket.write('EHLO bench.example\r\n');
      await heard('250');
      return { kind: 'open', courier: bareCourier(socket, heard) };
    },
  };
}

function bareCourier(socket: Socket, heard: (code: string) => Promise<void>): Courier {
  const outcomes = [{ kind: 'accepted', reply: { code: 250, text: '' } }] as const;
  const bodies = new Map<OutboundMessage | undefined, Buffer>();
  return {
    isUsable: true,
    async deliver([message]) {
      const body =
        bodies.get(message) ?? Buffer.concat(message ? wireBuffers(message.compiled, message.rendered) : []);
      bodies.set(message, body);
      socket.write('MAIL FROM:<bounce@sender.example>\r\nRCPT TO:<somebody@example.org>\r\nDATA\r\n');
      await heard('354');
      socket.write(body);
      await heard('250');
      return outcomes;
    },
    async close() {
      socket.destroy();
    },
  };
}

/** Forty segments with a value of the recipient's behind each. */
function messageOf(bytes: number): OutboundMessage {
  const line = Buffer.from(`${'0123456789'.repeat(7)}\r\n`);
  const segment = Buffer.concat(Array(Math.ceil(bytes / 40 / line.length)).fill(line));
  const own = Array.from({ length: 40 }, (_, i) => Buffer.from(`Value ${i} of this recipient=\r\n`));
  return {
    compiled: { digest: 'bench', segments: [Buffer.from('Subject: Hello\r\n\r\n'), segment] },
    rendered: {
      seq: 1,
      to: 'somebody@example.org',
      returnPath: 'bounce+0123456789abcdef0123456789@sender.example',
      needsSmtpUtf8: false,
      parts: [0, ...own.flatMap((value) => [1, value])],
    },
  };
}
