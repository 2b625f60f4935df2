/**
 * What configures a transport of kind `smtp`: its settings, its secret (kept apart, encrypted at rest) and its limits.
 *
 * RFC 5321 §4.5.3.2 asks clients to wait for minutes: 5 for the greeting, MAIL and RCPT, 2 for DATA, 10 for the answer to
 * the final dot. These defaults are shorter, because a campaign's slot is worth more than one slow peer, except for the
 * last one: giving up there leaves the message in doubt, so it gets the longest time.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isDestinationName } from './provider-names.ts';

const hostName = z
  .string()
  .max(253)
  .regex(/^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i, {
    error: 'not a host name',
  });

const host = z
  .string()
  .max(253)
  .refine((value) => isIP(value) !== 0 || hostName.safeParse(value).success, {
    error: 'not a host name or an IP address',
  });

/** RFC 5321 §4.1.3: a client without a name says its address, as `[192.0.2.1]` or `[IPv6:2001:db8::1]`. */
const addressLiteral = z.string().refine((value) => {
  const inside = /^\[(?:IPv6:)?([0-9a-f:.]+)\]$/i.exec(value)?.[1];
  return inside !== undefined && isIP(inside) !== 0;
});

const credentialText = z
  .string()
  .min(1)
  .max(1000)
  .refine((value) => !value.includes('\0'), { error: 'must not contain NUL' });

export const smtpSettings = z.strictObject({
  /** The server's name or IP address. */
  host,
  port: z.int().min(1).max(65_535),
  /**
   * `none`: plain text, even if TLS is offered. `starttls`: upgraded or not used at all. `opportunistic`: upgraded when
   * offered; a password is never sent when it wasn't. `implicit`: TLS from the first byte (port 465).
   */
  tls: z.enum(['none', 'starttls', 'opportunistic', 'implicit']),
  /** Check the server's certificate against its name, in every mode but `none`. */
  tlsVerify: z.boolean().default(true),
  /** Log in after EHLO. The password is in `smtpSecret`. */
  auth: z
    .strictObject({
      username: credentialText,
      /** Without it, the first of PLAIN, LOGIN and CRAM-MD5 that the server offers. */
      method: z.enum(['PLAIN', 'LOGIN']).optional(),
    })
    .optional(),
  /** How far commands leave together where the server offers PIPELINING (RFC 2920); without it, `connection` (ADR 19). */
  pipelining: z
    .enum(['none', 'message', 'connection'])
    .meta({
      description:
        '`connection`, the default: with the end of a message leaves the envelope of the next; `message`: only the commands of one message leave together; `none`: one command at a time, for a server that offers PIPELINING and is not up to it',
    })
    .optional(),
  /** What we call ourselves in EHLO; without it the machine's name. */
  clientName: z.union([hostName, addressLiteral]).optional(),
  /** Domain of the return paths: bounces come back to `<token>@<bounceDomain>`. */
  bounceDomain: hostName.optional(),
});

export type SmtpSettings = z.infer<typeof smtpSettings>;

/** The part of the configuration that is encrypted at rest and never returned. */
export const smtpSecret = z.strictObject({ password: credentialText });

export type SmtpSecret = z.infer<typeof smtpSecret>;

const milliseconds = (least: number, most: number) => z.int().min(least).max(most);

const messagesASecond = z.number().positive().max(1_000_000);
const messagesADay = z.int().min(1).max(1_000_000_000);

export const warmUp = z
  .strictObject({
    /** The first day, UTC; there is no limit of the warm-up's before it and none but `until` when it is over. */
    startsOn: z.iso.date(),
    /** Messages on the first day. */
    firstDay: messagesADay,
    /** Each day so many times the day before. */
    growth: z.number().min(1.01).max(10),
    /** The warm-up is over when a day's step reaches this many. */
    until: messagesADay,
  })
  .refine(({ firstDay, until }) => firstDay <= until, {
    path: ['until'],
    error: 'must not be less than the first day',
  });

export type WarmUp = z.infer<typeof warmUp>;

const destinationLimit = z.strictObject({
  perSecond: messagesASecond.optional(),
  /** Connections of all processes together. */
  connections: z.int().min(1).max(10_000).optional(),
  /** Messages a UTC day. */
  perDay: messagesADay.optional(),
});

export type DestinationLimit = z.infer<typeof destinationLimit>;

const destinationName = z
  .string()
  .refine(isDestinationName, { error: 'is not the name of a provider, nor `other`' });

export const transportLimits = z.strictObject({
  /** Connections one process may hold open at once. */
  maxConnections: z.int().min(1).max(100).default(10),
  /** Messages after which a connection is closed and a new one opened; 0 = as many as it lives for. */
  messagesPerConnection: z.int().min(0).max(10_000).default(100),
  /** Messages a second, for all processes and destinations together. Without it, no limit of ours. */
  perSecond: messagesASecond.optional(),
  /** Connections to one destination, for all processes together. Without it, the provider's shipped default, if any. */
  connections: z.int().min(1).max(10_000).optional(),
  /** Messages a UTC day, over all its destinations together. */
  perDay: messagesADay.optional(),
  /** A new sender's first days: fewer messages a UTC day than `perDay`, over all its destinations together. */
  warmUp: warmUp.optional(),
  /** Limits of single destinations, by provider (`gmail`, ...) or `other`, each of the long tail's. They hold with `destination_mode` `provider`. */
  destinations: z.record(destinationName, destinationLimit).optional(),
  /** Looking the name up and connecting. */
  connectTimeoutMs: milliseconds(10, 120_000).default(10_000),
  /** From connected to greeted; a TLS handshake may take as long. */
  greetingTimeoutMs: milliseconds(10, 300_000).default(30_000),
  /** From greeted to ready: EHLO, STARTTLS and AUTH together. */
  handshakeTimeoutMs: milliseconds(10, 300_000).default(30_000),
  /** From MAIL to the answer to DATA, three replies together. Running out is safe: nothing was transmitted. */
  envelopeTimeoutMs: milliseconds(10, 60_000).default(30_000),
  /**
   * From the 354 to the answer to the final dot, the body's transfer included. Running out leaves the message in doubt. At most three
   * minutes: with two leases and the envelope it stays within IN_DOUBT_SETTLE_AFTER_MS, so that no policy settles what is still on the wire.
   */
  acceptTimeoutMs: milliseconds(10, 180_000).default(120_000),
  /** A connection without work closes itself after this. */
  idleTimeoutMs: milliseconds(10, 300_000).default(20_000),
});

export type TransportLimits = z.infer<typeof transportLimits>;

/** No transaction lasts longer, whatever the server does: `deliver` has answered by then. */
export function longestTransactionMs(limits: TransportLimits): number {
  return limits.envelopeTimeoutMs + limits.acceptTimeoutMs;
}

/** Opening has succeeded or failed by then. */
export function longestOpenMs(limits: TransportLimits): number {
  return limits.connectTimeoutMs + limits.greetingTimeoutMs + limits.handshakeTimeoutMs;
}
