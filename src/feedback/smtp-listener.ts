/**
 * The SMTP server that bounces and complaints come to. It takes mail for signed return paths and for nobody else, has no
 * AUTH and passes nothing on. A 250 is a promise (RFC 5321 4.1.1.4): it is given when the effects are committed.
 */
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import type { FeedbackMetrics } from './feedback-metrics.ts';
import type { ReportIntake } from './report-intake.ts';
import type { SignedDelivery } from './return-path.ts';
import { createSessionGate, type GateLimits, type SessionGate } from './session-gate.ts';
import { SmtpRefusal } from './smtp-refusal.ts';

export interface ListenerLimits extends GateLimits {
  readonly messageBytes: number;
  /** Of all clients together. Each may hold a mail in memory. */
  readonly connections: number;
  /** RFC 5321 4.5.3.2.7 asks servers to wait for 5 minutes for the next command. */
  readonly idleMs: number;
  /** However lively: a client that trickles bytes holds a connection no longer. */
  readonly sessionMs: number;
  /** For the ledger, after the final dot; then 451. Clients wait for 10 minutes (RFC 5321 4.5.3.2.6). */
  readonly commitMs: number;
  /** How long sessions may go on once we stop. */
  readonly closeMs: number;
}

export interface SmtpListenerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: ListenerLimits;
  readonly log: Log;
  readonly metrics: FeedbackMetrics;
  /** Whose return path this is; undefined for any other address. */
  readonly findRecipient: (address: string) => SignedDelivery | undefined;
  readonly intake: ReportIntake;
}

export interface SmtpListener extends Lifecycle {
  readonly port: number;
}

export function createSmtpListener(options: SmtpListenerOptions): SmtpListener {
  const working = new Set<Promise<void>>();
  let server: SMTPServer | undefined;
  let stopped: Promise<void> | undefined;

  return {
    get port() {
      return (server?.server.address() as AddressInfo | null)?.port ?? options.port;
    },
    async start() {
      if (server) return;
      server = openServer(options, working);
      await listen(server, options);
    },
    stop() {
      if (!server) return Promise.resolve();
      stopped ??= close(server, working);
      return stopped;
    },
  };
}

function openServer(options: SmtpListenerOptions, working: Set<Promise<void>>): SMTPServer {
  const { limits, metrics } = options;
  const gate = createSessionGate(limits);
  const server = new SMTPServer({
    ...fixedOptions,
    disabledCommands,
    size: limits.messageBytes,
    maxClients: limits.connections,
    socketTimeout: limits.idleMs,
    closeTimeout: limits.closeMs,
    onConnect({ id, remoteAddress }, callback) {
      if (gate.enter(id, remoteAddress, performance.now())) return callback();
      metrics.refusals.inc({ cause: 'connections' });
      callback(new SmtpRefusal(421, 'Too many connections, try again later'));
    },
    onRcptTo({ address }, { id }, callback) {
      callback(refuseRecipient(options, gate, { address, session: id }));
    },
    onData(stream, session, callback) {
      const work = takeMail(options, stream, session).then(() => callback(), callback);
      working.add(work);
      void work.finally(() => working.delete(work));
    },
    onClose({ id }) {
      gate.leave(id);
    },
  });
  limitSessions(server, limits.sessionMs);
  return server;
}

/**
 * One recipient for one mail: a report is about one delivery, and a sender with several is told 452 and sends again.
 * STARTTLS is off because there is no certificate to show: put an MTA in front where reports must come encrypted.
 */
const fixedOptions = {
  banner: 'Sluice feedback',
  authOptional: true,
  disableReverseLookup: true,
  hideENHANCEDSTATUSCODES: false,
  rejectOversized: true,
  maxRecipients: 1,
  logger: false,
} as const;
const disabledCommands = ['AUTH', 'STARTTLS', 'VRFY', 'WIZ', 'SHELL', 'KILL'];

function refuseRecipient(
  { findRecipient, metrics }: SmtpListenerOptions,
  gate: SessionGate,
  { address, session }: { readonly address: string; readonly session: string },
): SmtpRefusal | null {
  if (findRecipient(address)) return null;
  metrics.refusals.inc({ cause: 'recipient' });
  return gate.countRefusal(session)
    ? new SmtpRefusal(550, 'No such recipient')
    : new SmtpRefusal(421, 'Too many unknown recipients');
}

/** Rejects with the reply. If we die before the reply, the sender comes again and finds its report already known. */
async function takeMail(
  options: SmtpListenerOptions,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<void> {
  const { log, metrics, limits } = options;
  const raw = await readMail(stream, limits.messageBytes);
  const recipient = options.findRecipient(session.envelope.rcptTo[0]?.address ?? '');
  if (!raw || !recipient) {
    // The server itself answers 552 to what is too large.
    metrics.refusals.inc({ cause: 'size' });
    return;
  }
  try {
    await within(limits.commitMs, options.intake(recipient, raw));
  } catch (error) {
    metrics.refusals.inc({ cause: 'unavailable' });
    log.error({ err: error, deliveryId: recipient.id }, 'feedback not taken, its sender tries again');
    throw new SmtpRefusal(451, 'Try again later');
  }
}

/** Undefined when it is too large: the rest is read and dropped. */
async function readMail(stream: SMTPServerDataStream, mostBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= mostBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes <= mostBytes ? Buffer.concat(chunks) : undefined;
}

/** The work goes on: should it commit after we answered 451, the mail that comes again changes nothing. */
function within(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The ledger did not answer within ${ms} ms`)), ms);
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function limitSessions(server: SMTPServer, sessionMs: number): void {
  server.server.on('connection', (socket) => {
    const timer = setTimeout(() => socket.destroy(), sessionMs);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
  });
}

function listen(server: SMTPServer, { host, port, log }: SmtpListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      // A client that went away in the middle; it comes again.
      server.on('error', (error) => log.debug({ err: error }, 'feedback connection failed'));
      resolve();
    });
  });
}

/** Bounded: sessions by `closeMs`, reports that are being committed by `commitMs`. */
async function close(server: SMTPServer, working: ReadonlySet<Promise<void>>): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.allSettled(working);
}
