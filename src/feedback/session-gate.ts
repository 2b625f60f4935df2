/**
 * How many sessions one client may hold, how many it may begin in a minute, and how often one may guess. Bounded memory;
 * no I/O, the caller brings the time.
 */

export interface GateLimits {
  readonly sessionsPerClient: number;
  readonly sessionsPerClientPerMinute: number;
  /** Then a client is not reporting but guessing. */
  readonly refusedRecipientsPerSession: number;
}

export interface SessionGate {
  /** False: one too many, now or in this minute. */
  enter(session: string, client: string, nowMs: number): boolean;
  /** False: that was one too many in this session. */
  countRefusal(session: string): boolean;
  /** Idempotent, and harmless for a session that was not let in. */
  leave(session: string): void;
}

interface Client {
  open: number;
  minuteBegan: number;
  inMinute: number;
}

const minuteMs = 60_000;
/** Beyond this, clients without a session are forgotten: their minute begins anew. */
const rememberedClients = 10_000;

export function createSessionGate(limits: GateLimits): SessionGate {
  const clients = new Map<string, Client>();
  const sessions = new Map<string, { readonly client: Client; refused: number }>();

  return {
    enter(session, address, nowMs) {
      const client = recallClient(clients, address, nowMs);
      client.inMinute++;
      if (client.inMinute > limits.sessionsPerClientPerMinute) return false;
      if (client.open >= limits.sessionsPerClient) return false;
      client.open++;
      sessions.set(session, { client, refused: 0 });
      return true;
    },
    countRefusal(session) {
      const known = sessions.get(session);
      return known !== undefined && ++known.refused <= limits.refusedRecipientsPerSession;
    },
    leave(session) {
      const known = sessions.get(session);
      if (known) known.client.open--;
      sessions.delete(session);
    },
  };
}

function recallClient(clients: Map<string, Client>, address: string, nowMs: number): Client {
  const known = clients.get(address);
  if (known) {
    if (nowMs - known.minuteBegan >= minuteMs) Object.assign(known, { minuteBegan: nowMs, inMinute: 0 });
    return known;
  }
  if (clients.size >= rememberedClients) forgetIdle(clients);
  const client = { open: 0, minuteBegan: nowMs, inMinute: 0 };
  clients.set(address, client);
  return client;
}

function forgetIdle(clients: Map<string, Client>): void {
  for (const [address, { open }] of clients) if (open === 0) clients.delete(address);
}
