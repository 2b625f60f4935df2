/**
 * An SMTP session that is ready for MAIL: connected, greeted, secured, authenticated.
 *
 * nodemailer's SMTPConnection does the dialogue; the socket is ours, so that it goes to a vetted address and is certain to be
 * destroyed. Its own time-outs are restarted by every byte, so each phase here also has a deadline that isn't.
 */
import type { Socket } from 'node:net';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { OpenFailure } from './contract.ts';
import { dialHost } from './dial-host.ts';
import type { HostPolicy } from './host-policy.ts';
import { explainOpenFailure, type OpenStep } from './open-failure.ts';
import type { OwnRules } from './reply-rule.ts';
import { ownReply } from './reply-text.ts';
import type { SmtpSecret, SmtpSettings, TransportLimits } from './smtp-settings.ts';

export interface SmtpConfiguration {
  readonly settings: SmtpSettings;
  /** Needed when the settings ask for authentication. */
  readonly secret?: SmtpSecret | undefined;
  readonly limits: TransportLimits;
  readonly hostPolicy: HostPolicy;
  readonly rules?: OwnRules | undefined;
}

/** What the server offers, of what we use. */
export interface SmtpOffers {
  readonly smtpUtf8: boolean;
  /** Largest message in octets (RFC 1870); 0 = not said. */
  readonly maxSize: number;
  /** The lines of the last EHLO's answer. */
  readonly lines: readonly string[];
  readonly isEncrypted: boolean;
}

export interface SmtpSession {
  readonly connection: SMTPConnection;
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
  abort({ connection, socket: dialled.socket });
  return { kind: 'failed', ...failed };
}

/** Whether a command can still be written. */
export function isAlive({ connection, socket }: Pick<SmtpSession, 'connection' | 'socket'>): boolean {
  const current = connection._socket;
  return !connection.destroyed && !socket.destroyed && !!current && current.writable;
}

/** Frees the connection at once, without a word. Idempotent. */
export function drop({ connection, socket }: Pick<SmtpSession, 'connection' | 'socket'>): void {
  connection.close();
  socket.destroy();
}

/**
 * The same by a reset: what the kernel still held of a message is thrown away and not sent after all, and a peer that has stopped
 * reading keeps nothing of ours open. Idempotent.
 */
export function abort({ connection, socket }: Pick<SmtpSession, 'connection' | 'socket'>): void {
  // First, while the socket still has its handle.
  socket.resetAndDestroy();
  connection.close();
}

export type Attempt =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'late' };

/**
 * Runs one of nodemailer's commands that take a callback, and answers even where that callback is forgotten: some of
 * nodemailer's paths close the connection without calling it.
 */
export function attempt(
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
    // Never before our own deadlines: those know what was transmitted.
    socketTimeout: setupMs + limits.envelopeTimeoutMs + limits.acceptTimeoutMs + limits.idleTimeoutMs,
    // Destroy the socket when the connection is closed, instead of waiting for the server to do its half.
    socketCloseTimeout: 0,
    maxResponseSize: 64 * 1024,
  });
  // An `error` event without a listener ends the process; what it means is told by whoever waits for something.
  connection.on('error', () => {});
  return connection;
}

function sessionOf(connection: SMTPConnection, socket: Socket): SmtpSession {
  return { connection, socket, offers: readOffers(connection) };
}

/** nodemailer keeps these to itself; the version is pinned and `smtp-transport.test.ts` would notice. */
interface Insides {
  readonly _supportedExtensions?: readonly string[];
  readonly _maxAllowedSize?: number;
  readonly _ehloLines?: readonly string[];
  readonly _responseQueue?: readonly string[];
  readonly _remainder?: string;
}

function readOffers(connection: SMTPConnection): SmtpOffers {
  const insides = connection as unknown as Insides;
  return {
    smtpUtf8: insides._supportedExtensions?.includes('SMTPUTF8') ?? false,
    maxSize: insides._maxAllowedSize ?? 0,
    lines: insides._ehloLines ?? [],
    isEncrypted: connection.secure,
  };
}

/** From here on `repliesSince` tells what the server said after this moment. */
export function forgetReplies(connection: SMTPConnection): void {
  connection.lastServerResponse = false;
}

/**
 * The last reply that was looked at, and those that came behind it: nodemailer looks at one per turn of the event loop, and at none
 * once the connection has ended. A server that refuses three pipelined commands and hangs up has still refused them.
 */
export function repliesSince(connection: SMTPConnection): readonly string[] {
  const last = connection.lastServerResponse;
  const waiting = (connection as unknown as Insides)._responseQueue ?? [];
  return last ? [last, ...waiting] : waiting;
}

/** The server has said something to which nothing was asked: its replies and our commands no longer belong together. */
export function hasUnaskedReply(connection: SMTPConnection): boolean {
  const insides = connection as unknown as Insides;
  return !!insides._responseQueue?.length || !!insides._remainder;
}
