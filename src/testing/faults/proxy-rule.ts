/**
 * Faults of a connection as data. A rule names one request by its text (SQL and Redis commands travel in clear) and by how many like it came before,
 * and says what becomes of it.
 */

export interface ProxiedRequest {
  /** The start of the request's bytes, as latin1. */
  readonly text: string;
  /** All of its transaction's requests so far, this one included; outside of one, this one alone. */
  readonly transaction: string;
  /** A COMMIT, or a statement outside a transaction, which commits by itself. */
  readonly commits: boolean;
}

/**
 * - `cutRequest`: it never reaches the server, and the connection is reset.
 * - `cutReply`: the server executes it, the answer is lost, and the connection is reset.
 * - `holdRequest`, `holdReply`: the same two edges, frozen until `release`: the moment for a SIGKILL.
 */
export type ProxyAction = 'cutRequest' | 'cutReply' | 'holdRequest' | 'holdReply';

export interface ProxyRule {
  readonly action: ProxyAction;
  readonly matches: (request: ProxiedRequest) => boolean;
  /** Of the requests that match, the one it acts on; the first is 1. */
  readonly nth?: number;
  /** It acts on this one and every so many after it, instead of just once. */
  readonly everyNth?: number;
}

export function statement(text: RegExp): ProxyRule['matches'] {
  return (request) => text.test(request.text);
}

/** What commits such a statement: the COMMIT of its transaction, or it itself. */
export function commitOf(text: RegExp): ProxyRule['matches'] {
  return (request) => request.commits && text.test(request.transaction);
}

/** The statements of the ledger, as they look on the wire. */
export const statements = {
  dispatch: /UPDATE chunks FORCE INDEX \(PRIMARY\) SET state = 1, epoch = epoch \+ 1/,
  claim: /UPDATE chunks FORCE INDEX \(PRIMARY\) SET state = 2, owner/,
  intent: /SET d\.state = 1, d\.epoch/,
  outcome: /UPDATE deliveries SET state = \d, reply_code/,
  end: /FROM chunks WHERE.*FOR UPDATE/s,
  takeover: /UPDATE deliveries SET state = 5/,
  settle: /UPDATE deliveries SET state = \d, settled_by/,
  page: /INSERT INTO deliveries/,
  recipients: /LEFT JOIN profiles p ON/,
} as const;

/** Redis commands of the stages. */
export const commands = {
  storeRendered: /\bset\r\n\$\d+\r\n[^\r]*:rendered:/i,
  readRendered: /mget/i,
  enqueueSend: /belt:send-campaign:wait/,
  enqueueRender: /belt:render-campaign:wait/,
  finishJob: /:completed/,
} as const;
