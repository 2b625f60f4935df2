/**
 * An SMTP session that is ready for MAIL: connected, greeted, secured, authenticated.
 *
 * nodemailer's SMTPConnection does this much of the dialogue; the socket is ours, so that it goes to a vetted address and is certain to be
 * destroyed, and all of it once the session is ready. nodemailer's time-outs are restarted by every byte, so each phase here also has a
 * deadline that isn't.
 */
import type { Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { OpenFailure } from './contract.ts';
import { dialHost } from './dial-host.ts';
import type { HostPolicy } from './host-policy.ts';
import { explainOpenFailure, type OpenStep } from './open-failure.ts';
import type { OwnRules } from './reply-rule.ts';
import { ownReply } from './reply-text.ts';
import { SmtpDialogue } from './smtp-dialogue.ts';
import type { SmtpSecret, SmtpSettings, TransportLimits } from './smtp-settings.ts';
import { readOffers, type SmtpOffers, takeOver } from './smtp-takeover.ts';

export interface SmtpConfiguration {
  readonly settings: SmtpSettings;
  /** Needed when the settings ask for authentication. */
  readonly secret?: SmtpSecret | undefined;
  readonly limits: TransportLimits;
  readonly hostPolicy: HostPolicy;
  readonly rules?: OwnRules | undefined;
}

export interface SmtpSession {
  readonly dialogue: SmtpDialogue;
  /** The TCP connection under it. */
  readonly socket: Socket;
  readonly offers: SmtpOffers;
}

export type SessionResult =
  | { readonly kind: 'open'; readonly session: SmtpSession }
  | { readonly kind: 'failed'; readonly step: OpenStep; readonly failure: OpenFailure };

/** Answers within `longestOpenMs`. Leaves no socket behind when it fails. Never throws. */
export async function openSession(configuration: SmtpConfiguration): Promise<SessionResult> {
  const { settings, limits, hostPolicy } = configuration;
  const dialled = await dialHost({
    host: settings.host,
    port: settings.port,
    policy: hostPolicy,
    timeoutMs: limits.connectTimeoutMs,
  });
  if (dialled.kind === 'failed') return dialled;
  const connection = connectionOn(dialled.socket, settings, limits);
  const failed = await makeReady(connection, configuration);
  if (!failed) return { kind: 'open', session: sessionOf(connection, dialled.socket) };
  // First, while the socket still has its handle.
  dialled.socket.resetAndDestroy();
  connection.close();
  return { kind: 'failed', ...failed };
}

type Attempt =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'late' };

/**
 * Runs one of nodemailer's commands that take a callback, and answers even where that callback is forgotten: some of
 * nodemailer's paths close the connection without calling it.
 */
function attempt(
  connection: SMTPConnection,
  timeoutMs: number,
  start: (callback: (error?: Error | null) => void) => void,
): Promise<Attempt> {
  return new Promise((resolve) => {
    const settle = (result: Attempt) => {
      clearTimeout(timer);
      connection.removeListener('error', onError);
      connection.removeListener('end', onEnd);
      resolve(result);
    };
    const onError = (error: Error) => settle({ kind: 'failed', error });
    // nodemailer emits `end` before it calls back with the reason, in the same tick.
    const onEnd = () => queueMicrotask(() => onError(new Error('connection closed')));
    const timer = setTimeout(() => settle({ kind: 'late' }), timeoutMs);
    connection.on('error', onError);
    connection.on('end', onEnd);
    start((error) => (error ? onError(error) : settle({ kind: 'done' })));
  });
}

type Failed = { readonly step: OpenStep; readonly failure: OpenFailure };

async function makeReady(
  connection: SMTPConnection,
  { settings, secret, limits }: SmtpConfiguration,
): Promise<Failed | undefined> {
  const deadline = performance.now() + limits.greetingTimeoutMs + limits.handshakeTimeoutMs;
  const leftMs = () => Math.max(1, deadline - performance.now());
  const greeted = await attempt(connection, leftMs(), (callback) => connection.connect(callback));
  if (greeted.kind !== 'done') return explainOpenFailure(connection, greeted);
  if (!settings.auth) return undefined;
  const refusal = mayLogIn(connection, settings);
  if (refusal) return refusal;
  const { username, method } = settings.auth;
  const login = { user: username, pass: secret?.password, ...(method && { method }) };
  const loggedIn = await attempt(connection, leftMs(), (callback) => connection.login(login, callback));
  return loggedIn.kind === 'done' ? undefined : explainOpenFailure(connection, loggedIn, { login, secret });
}

/** A password goes in plain text only where the settings say `tls: none`. */
function mayLogIn(connection: SMTPConnection, settings: SmtpSettings): Failed | undefined {
  if (settings.tls === 'opportunistic' && !connection.secure)
    return fail('tls', 'tls', 'the server offers no TLS, and a password is not sent in plain text');
  if (!connection.allowsAuth) return fail('auth', 'auth', 'the server offers no authentication');
  return undefined;
}

function fail(step: OpenStep, cause: OpenFailure['cause'], text: string): Failed {
  return { step, failure: { cause, reply: ownReply(text) } };
}

function connectionOn(socket: Socket, settings: SmtpSettings, limits: TransportLimits): SMTPConnection {
  const setupMs = limits.greetingTimeoutMs + limits.handshakeTimeoutMs;
  const connection = new SMTPConnection({
    connection: socket,
    host: settings.host,
    port: settings.port,
    name: settings.clientName,
    secure: settings.tls === 'implicit',
    ignoreTLS: settings.tls === 'none',
    requireTLS: settings.tls === 'starttls',
    opportunisticTLS: settings.tls === 'opportunistic',
    tls: { rejectUnauthorized: settings.tlsVerify },
    connectionTimeout: setupMs,
    greetingTimeout: limits.greetingTimeoutMs,
    // Never before our own deadlines.
    socketTimeout: setupMs + limits.connectTimeoutMs,
    // Destroy the socket when the connection is closed, instead of waiting for the server to do its half.
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
  });
  // An `error` event without a listener ends the process; what it means is told by whoever waits for something.
  connection.on('error', () => {});
  return connection;
}

function sessionOf(connection: SMTPConnection, tcp: Socket): SmtpSession {
  const offers = readOffers(connection);
  const { socket, hasUnaskedReply } = takeOver(connection);
  const dialogue = new SmtpDialogue(socket, tcp);
  if (hasUnaskedReply) dialogue.drop();
  return { dialogue, socket: tcp, offers };
}
