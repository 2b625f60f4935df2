import type { Clock } from '../../platform/clock.ts';
import type { Credentials } from './auth-exchange.ts';
import type { ConversationTerms } from './conversation.ts';
import { defaultExtensions, type Extensions } from './extensions.ts';
import type { ProviderLimits } from './provider-gate.ts';
import type { Rule } from './rule.ts';
import type { Memory } from './tally.ts';

/** Everything has a default: `{}` is a fast sink that takes all mail. */
export interface SinkOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** The name in banner and EHLO. Default `sink.example`. */
  readonly hostname?: string;
  readonly extensions?: Partial<Extensions>;
  /** Offers AUTH and takes only these. */
  readonly credentials?: Credentials;
  readonly requireAuth?: boolean;
  readonly requireTls?: boolean;
  /** TLS from the first byte, as on port 465. */
  readonly implicitTls?: boolean;
  readonly rules?: readonly Rule[];
  readonly providers?: readonly ProviderLimits[];
  /** For everything left to chance. Default 1. */
  readonly seed?: number;
  /** Default `messages`. */
  readonly memory?: Memory;
  /** Whose bytes to keep: nobody's (default), everybody's, those of the first so many, or those this says. */
  readonly keepBodies?:
    | 'none'
    | 'all'
    | number
    | ((envelope: { from: string; to: readonly string[] }) => boolean);
  /** Appends one line per accepted message, in the kernel's hands before the 250 is. */
  readonly logFile?: string;
  /** Further connections get a 421 in place of the banner. */
  readonly maxConnections?: number;
  /** In one message. Default 100. */
  readonly maxRecipients?: number;
  /** Of a command line, CRLF included. Default 2,048. */
  readonly maxLineBytes?: number;
  /** A connection without traffic gets a 421 after this. Default: never. */
  readonly idleTimeoutMs?: number;
  readonly clock?: Clock;
}

export function termsOf(options: SinkOptions): ConversationTerms {
  const { hostname = 'sink.example', credentials, requireAuth = false, requireTls = false } = options;
  const offersAuth = credentials !== undefined || requireAuth;
  return {
    hostname,
    credentials,
    requireAuth,
    requireTls,
    extensions: { ...defaultExtensions, auth: offersAuth, ...options.extensions },
    maxRecipients: options.maxRecipients ?? 100,
  };
}
