/**
 * Takes a connection that is ready for MAIL away from nodemailer: connecting, TLS and authentication are its work, the transactions are
 * ours (ADR 12).
 *
 * nodemailer has no call for it, so this file alone knows its insides: the socket (after STARTTLS the TLS socket), the five listeners it has on
 * it, what it has read and not looked at, and what EHLO offered. Checked with nodemailer 10.6.0, which the lock file pins;
 * `smtp-session.test.ts` and the conformance suite, over plain sockets and TLS, would notice a change.
 */
import type { Socket } from 'node:net';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';

/** What the server offers, of what we use. */
export interface SmtpOffers {
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly smtpUtf8: boolean;
  /** RFC 1870, to be told how large a message is. */
  readonly size: boolean;
  /** Largest message in octets (RFC 1870); 0 = not said. */
  readonly maxSize: number;
  /** The lines of the last EHLO's answer. */
  readonly lines: readonly string[];
  readonly isEncrypted: boolean;
}

interface Insides {
  readonly _onSocketData: () => void;
  readonly _onSocketError: () => void;
  readonly _onSocketClose: () => void;
  readonly _onSocketEnd: () => void;
  readonly _onSocketTimeout: () => void;
  readonly _responseQueue: readonly string[];
  readonly _remainder: string;
  readonly _supportedExtensions: readonly string[];
  readonly _maxAllowedSize: number;
  readonly _ehloLines?: readonly string[];
}

export interface TakenOver {
  /** Nobody listens to it but Node itself; what comes next is read by whoever does. */
  readonly socket: Socket;
  /** The server has said something to which nothing was asked. */
  readonly hasUnaskedReply: boolean;
}

/** The connection must not be used any more, nor closed: its socket isn't its own. */
export function takeOver(connection: SMTPConnection): TakenOver {
  const insides = insidesOf(connection);
  const socket = connection._socket;
  if (!socket) throw new Error('the connection has no socket');
  socket.removeListener('data', insides._onSocketData);
  socket.removeListener('error', insides._onSocketError);
  socket.removeListener('close', insides._onSocketClose);
  socket.removeListener('end', insides._onSocketEnd);
  socket.removeListener('timeout', insides._onSocketTimeout);
  socket.setTimeout(0);
  if (socket.listenerCount('data') > 0) throw new Error('nodemailer still reads from its socket');
  return { socket, hasUnaskedReply: insides._responseQueue.length > 0 || insides._remainder !== '' };
}

export function readOffers(connection: SMTPConnection): SmtpOffers {
  const { _supportedExtensions: extensions, _maxAllowedSize, _ehloLines = [] } = insidesOf(connection);
  return {
    pipelining: extensions.includes('PIPELINING'),
    eightBitMime: extensions.includes('8BITMIME'),
    smtpUtf8: extensions.includes('SMTPUTF8'),
    size: extensions.includes('SIZE'),
    maxSize: _maxAllowedSize,
    lines: _ehloLines,
    isEncrypted: connection.secure,
  };
}

function insidesOf(connection: SMTPConnection): Insides {
  return connection as unknown as Insides;
}
