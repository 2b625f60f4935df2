/** Hands a few test messages over right now, from this process: no ledger, no retries, bounded in time. */
import { AppError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { toConfiguration } from '../transport-settings/transport-secrets.ts';
import type { StoredTransport } from '../transport-settings/transport-store.ts';
import type { Courier, OpenFailure, OutboundMessage, Outcome, Transport } from '../transports/contract.ts';
import type { HostPolicy } from '../transports/host-policy.ts';
import { openTransport } from '../transports/open-transport.ts';
import type { TransportLimits } from '../transports/smtp-settings.ts';

/**
 * One outcome per message, in their order. Throws `transport_failed` when not even one connection could be opened.
 * If we die in here, some of the tests were sent and nobody is told which.
 */
export type SendTest = (
  transport: StoredTransport,
  messages: readonly OutboundMessage[],
) => Promise<readonly Outcome[]>;

export interface TestSenderOptions {
  readonly secretsKey: Buffer;
  readonly hostPolicy: HostPolicy;
  readonly clock: Clock;
}

/** Somebody waits for the reply: no message starts after this, and the last one takes at most `longest` more. */
const startWithinMs = 30_000;
const longest = { handshakeMs: 5_000, acceptMs: 20_000 };

export function createTestSender({ secretsKey, hostPolicy, clock }: TestSenderOptions): SendTest {
  const secretBox = createSecretBox(secretsKey);
  return (stored, messages) => {
    const configuration = toConfiguration(stored, secretBox, hostPolicy);
    const transport = openTransport({ ...configuration, limits: shorten(configuration.limits) });
    const until = clock.monotonic() + startWithinMs;
    return sendAll(transport, messages, () => clock.monotonic() < until);
  };
}

async function sendAll(
  transport: Transport,
  messages: readonly OutboundMessage[],
  mayStart: () => boolean,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let courier: Courier | undefined = await openFirst(transport);
  try {
    for (const message of messages) {
      if (courier && !courier.isUsable) courier = await replace(courier, transport);
      outcomes.push(courier ? await handOver(courier, message, mayStart) : notSent);
    }
  } finally {
    await courier?.close();
  }
  return outcomes;
}

const notSent: Outcome = {
  kind: 'untransmitted',
  reply: { code: 0, text: 'the connection ended and no other could be opened' },
};

async function openFirst(transport: Transport): Promise<Courier> {
  const opened = await transport.open();
  if (opened.kind === 'open') return opened.courier;
  throw new AppError('transport_failed', { detail: describe(opened.failure) });
}

async function replace(spent: Courier, transport: Transport): Promise<Courier | undefined> {
  await spent.close();
  const opened = await transport.open();
  return opened.kind === 'open' ? opened.courier : undefined;
}

async function handOver(
  courier: Courier,
  message: OutboundMessage,
  mayStart: () => boolean,
): Promise<Outcome> {
  const [outcome] = await courier.deliver([message], mayStart);
  return outcome ?? notSent;
}

function describe({ cause, reply }: OpenFailure): string {
  return reply.code > 0 ? `${cause}: ${reply.code} ${reply.text}` : `${cause}: ${reply.text}`;
}

function shorten(limits: TransportLimits): TransportLimits {
  const { handshakeMs, acceptMs } = longest;
  return {
    ...limits,
    connectTimeoutMs: Math.min(limits.connectTimeoutMs, handshakeMs),
    greetingTimeoutMs: Math.min(limits.greetingTimeoutMs, handshakeMs),
    handshakeTimeoutMs: Math.min(limits.handshakeTimeoutMs, handshakeMs),
    envelopeTimeoutMs: Math.min(limits.envelopeTimeoutMs, handshakeMs),
    acceptTimeoutMs: Math.min(limits.acceptTimeoutMs, acceptMs),
  };
}
