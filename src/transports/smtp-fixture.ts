/** For this folder's tests: an SMTP transport and the scripted sink it speaks to, over real sockets on loopback. */
import type { SinkOptions } from '../testing/smtp-sink/options.ts';
import type { Rule } from '../testing/smtp-sink/rule.ts';
import { createSmtpSink, type SmtpSink } from '../testing/smtp-sink/sink.ts';
import type { Courier, OutboundMessage, Outcome, Transport } from './contract.ts';
import { hostPolicy } from './host-policy.ts';
import type { SmtpConfiguration } from './smtp-session.ts';
import { smtpSettings, type TransportLimits, transportLimits } from './smtp-settings.ts';
import { smtpTransport } from './smtp-transport.ts';

export interface SmtpFixture {
  readonly sink: SmtpSink;
  readonly transport: Transport;
  readonly configuration: SmtpConfiguration;
  /** Opens a courier; fails the test when there is none. Closed by `stop`. */
  courier(limits?: Partial<TransportLimits>): Promise<Courier>;
  setRules(...rules: Rule[]): void;
  /** Closes all couriers, waits until the sink has seen every connection end, and stops it. */
  stop(): Promise<void>;
}

export interface FixtureOptions {
  readonly sink?: SinkOptions;
  readonly settings?: Record<string, unknown>;
  readonly password?: string;
  readonly limits?: Partial<TransportLimits>;
}

export async function startFixture(options: FixtureOptions = {}): Promise<SmtpFixture> {
  const sink = createSmtpSink({ keepBodies: 'all', ...options.sink });
  const { port } = await sink.start();
  const configuration = configurationFor(port, options);
  const transport = smtpTransport(configuration);
  const couriers: Courier[] = [];
  return {
    sink,
    transport,
    configuration,
    setRules: (...rules) => sink.setRules(rules),
    async courier(limits = {}) {
      const others = { ...configuration, limits: { ...configuration.limits, ...limits } };
      const opened = await smtpTransport(others).open();
      if (opened.kind === 'failed') throw new Error(`no courier: ${JSON.stringify(opened.failure)}`);
      couriers.push(opened.courier);
      return opened.courier;
    },
    async stop() {
      await Promise.all(couriers.map((courier) => courier.close()));
      await nothingOpen(sink);
      await sink.stop();
    },
  };
}

export function configurationFor(port: number, options: FixtureOptions = {}): SmtpConfiguration {
  return {
    settings: smtpSettings.parse({ host: '127.0.0.1', port, tls: 'none', ...options.settings }),
    secret: options.password === undefined ? undefined : { password: options.password },
    limits: transportLimits.parse(options.limits ?? {}),
    hostPolicy: hostPolicy({ allowPrivate: true }),
  };
}

/** Fails when a connection is still open after a second: a leak. */
export async function nothingOpen(sink: SmtpSink): Promise<void> {
  const deadline = performance.now() + 1000;
  while (sink.connections.open > 0) {
    if (performance.now() > deadline) throw new Error(`${sink.connections.open} connections were left open`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What is left of this process's connections to anywhere. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(TCPSocketWrap|TLSWrap)$/.test(kind)).length;
}

export async function deliverTo(courier: Courier, to: string, bytes?: number): Promise<Outcome> {
  const [outcome] = await courier.deliver([messageTo(to, bytes)], () => true);
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

/** A message of about so many bytes, in several parts, some of them shared. */
export function messageTo(to: string, bytes = 2000): OutboundMessage {
  const line = Buffer.from(`${'0123456789'.repeat(7)}\r\n`);
  const lines = Math.ceil(bytes / line.length);
  const segments = [
    Buffer.from('Subject: Hello\r\nMIME-Version: 1.0\r\n'),
    Buffer.concat(Array(lines).fill(line)),
  ];
  return {
    compiled: { digest: 'test', segments },
    rendered: {
      seq: 1,
      to,
      returnPath: 'bounce@sender.example',
      needsSmtpUtf8: false,
      parts: [0, Buffer.from(`To: ${to}\r\n\r\n`), 1, Buffer.from('Bye.\r\n')],
    },
  };
}
