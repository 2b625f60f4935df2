/**
 * Faults as data. A script is an ordered list of rules; at each stage of each dialogue the first rule that fires decides what the sink
 * does. Rules are plain JSON, so that a test process can send them to a sink in another process while it runs.
 */

/**
 * Where in a dialogue a rule acts. A rule is asked only for commands that are right in grammar and sequence.
 * - `connect`: in place of the banner
 * - `ehlo` (and HELO), `starttls`, `auth`, `mail`, `rcpt`, `data` (the 354), `rset`, `noop`, `vrfy`, `quit`: in place of the reply
 * - `tls`: after STARTTLS got its 220, in place of the handshake (also at connect, with implicit TLS)
 * - `body`: in the middle of a message, after `afterBytes` of it or where it ends if it is shorter
 * - `dot`: the whole message is here, nothing is logged and nothing replied yet
 * - `accepted`: right after the 250 for a message is written
 */
export type Stage = (typeof stages)[number];

export const stages = [
  'connect',
  'tls',
  'ehlo',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'body',
  'dot',
  'accepted',
  'rset',
  'noop',
  'vrfy',
  'quit',
] as const;

/**
 * When a rule fires: all that is given must hold. Recipients are known at `rcpt` (the one named) and after (any of the transaction's);
 * before, a condition on them never holds.
 */
export interface Condition {
  readonly toDomain?: string | readonly string[];
  readonly toAddress?: string | readonly string[];
  /** A provider's name (providers.ts): `gmail`, `yahoo`, ... */
  readonly provider?: string | readonly string[];
  /** Only the connection of this number; the first one accepted is 1. */
  readonly connection?: number;
  /** From this message (MAIL) of its connection on; the first is 1. */
  readonly fromMessageOnConnection?: number;
  /** This share (0 to 1) of addresses, chosen by seed, rule id and address: the same ones on each attempt, in any order of arrival. */
  readonly addressShare?: number;
  /** Of the moments when all of the above holds, only this one; the first is 1. */
  readonly nth?: number;
  /** ... this one and all after it. */
  readonly fromNth?: number;
  /** ... every so many. */
  readonly everyNth?: number;
  /** ... by chance (0 to 1), from the rule's own seeded sequence. */
  readonly probability?: number;
}

/**
 * `takesEffect`: the command counts although the client isn't told so: at `dot`, the message is accepted and logged, as by a server that
 * dies between queueing a message and answering. Without it, the sink has not accepted anything.
 */
interface MayTakeEffect {
  readonly takesEffect?: boolean;
  readonly delayMs?: number;
}

export type Action =
  /** This reply; 2xx (354 for DATA) lets the command take effect. 421 closes the connection, others if `close`. Lines by `\n`. */
  | {
      readonly do: 'reply';
      readonly code: number;
      readonly text: string;
      readonly close?: boolean;
      readonly delayMs?: number;
    }
  /** A refusal in the words of the recipient's provider. */
  | { readonly do: 'say'; readonly refusal: Refusal; readonly delayMs?: number }
  /** The usual reply, later. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Nothing, until `release()`; then as if there had been no rule. */
  | { readonly do: 'stall'; readonly takesEffect?: boolean }
  /** FIN. */
  | ({ readonly do: 'hangup' } & MayTakeEffect)
  /** RST. */
  | ({ readonly do: 'reset' } & MayTakeEffect)
  /** Seeded random bytes in place of the reply; the connection goes on. */
  | ({ readonly do: 'garbage'; readonly bytes?: number } & MayTakeEffect)
  /** Exactly these bytes (latin1) in place of the reply, for example two replies in one; the connection goes on. */
  | ({ readonly do: 'raw'; readonly bytes: string } & MayTakeEffect)
  /** The usual reply, one byte at a time. */
  | { readonly do: 'drip'; readonly everyMs: number }
  /** The usual reply in pieces of these sizes, over and over, each a segment of its own. */
  | { readonly do: 'split'; readonly sizes: readonly number[]; readonly gapMs?: number };

/** What a provider may have to say; its words for each are in providers.ts. */
export type Refusal = (typeof refusals)[number];

export const refusals = [
  'unknownUser',
  'mailboxFull',
  'tryLater',
  'tooManyConnections',
  'tooFast',
  'policy',
  'spam',
] as const;

export interface Rule {
  /** Names the rule in counts and waits; `rule-1`, `rule-2`, ... when left out. */
  readonly id?: string;
  readonly stage: Stage;
  readonly when?: Condition;
  readonly action: Action;
  /** For stage `body`: how many bytes of the message the sink takes first. Default 0. */
  readonly afterBytes?: number;
  /** Fires at most this often, then it is spent. */
  readonly times?: number;
  /** Fires at most this often for any one address: 1 makes a greylist. */
  readonly timesPerAddress?: number;
}

/** A rule and how often it fired. */
export interface RuleState {
  readonly rule: Rule & { readonly id: string };
  readonly hits: number;
}
