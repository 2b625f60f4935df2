import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { systemClock } from '../../platform/clock.ts';
import type { AcceptedMessage } from './accepted-message.ts';
import type { Credentials } from './auth-exchange.ts';
import type { House } from './house.ts';
import { LogFile } from './log-file.ts';
import { Milestones } from './milestones.ts';
import { type SinkOptions, termsOf } from './options.ts';
import { type ProviderCounts, ProviderGate, type ProviderLimits } from './provider-gate.ts';
import type { SeriesSlot } from './provider-series.ts';
import type { Rule, RuleState } from './rule.ts';
import { RuleBook } from './rule-book.ts';
import { seededRandom } from './seeded-random.ts';
import { Session } from './session.ts';
import { type Accepted, Tally } from './tally.ts';
import { sinkCertificate, sinkPrivateKey } from './tls-identity.ts';

export interface Connections {
  readonly open: number;
  readonly maxSeen: number;
  /** All that were ever accepted by the listener, those turned away included. */
  readonly total: number;
  /** Ended in the middle of a message, whoever ended them. */
  readonly interrupted: number;
}

/** Destroyed sockets close within a turn of the event loop; more means a bug here. */
const STOP_TIMEOUT_MS = 2_000;

interface Waiting {
  readonly timeoutMs: number;
}

/** A scripted SMTP server on loopback: the other side in tests, the demo and the benchmark, and the oracle of what was accepted. */
export interface SmtpSink {
  /** Listens. Started again after a stop, it takes the same port and goes on counting: an outage, seen from the client. */
  start(): Promise<{ readonly port: number }>;
  /** Closes the port and destroys every connection. Idempotent, at any time. */
  stop(): Promise<void>;
  /** 0 before the first start, unless the options named one. */
  readonly port: number;
  readonly connections: Connections;
  accepted(): Accepted;
  /** Forgets what was accepted, but not in the log file. */
  clearAccepted(): void;
  waitForAccepted(messages: number, waiting: Waiting): Promise<void>;
  /** Resolves when so few connections are open: 0 shows that the client let go of all of them. */
  waitForConnections(atMost: number, waiting: Waiting): Promise<void>;
  /** Replaces all rules; counts start again. Takes effect at each dialogue's next step. */
  setRules(rules: readonly Rule[]): void;
  /** Adds a rule behind the others and answers its id. */
  addRule(rule: Rule): string;
  rules(): readonly RuleState[];
  /** Resolves when the rule has fired so often: with a `stall`, the moment a client hangs exactly there. */
  waitForHits(ruleId: string, hits: number, waiting: Waiting): Promise<void>;
  /** Lets the connections that a `stall` holds go on, all or those of one rule. Answers how many. */
  release(ruleId?: string): number;
  /** From now on AUTH takes only these: a password was changed. Logins that were made stand. */
  setCredentials(credentials: Credentials): void;
  /** Sets what a provider puts up with, from now on. */
  limitProvider(limits: ProviderLimits): void;
  providers(): Readonly<Record<string, ProviderCounts>>;
  /** What each provider saw from `sinceMs` (wall clock) on, in slots of a tenth of a second. */
  series(sinceMs: number): Readonly<Record<string, readonly SeriesSlot[]>>;
}

export function createSmtpSink(options: SinkOptions = {}): SmtpSink {
  return new Sink(options);
}

class Sink implements SmtpSink {
  readonly #options: SinkOptions;
  readonly #tally: Tally;
  readonly #log: LogFile | undefined;
  readonly #milestones = new Milestones();
  readonly #gate: ProviderGate;
  readonly #rules: RuleBook;
  readonly #sessions = new Map<number, Session>();
  readonly #house: House;
  #server: Server | undefined;
  #starting: Promise<{ port: number }> | undefined;
  #port: number;
  #total = 0;
  #maxSeen = 0;
  #interrupted = 0;
  #queueIds = 0;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#tally = new Tally(options.memory ?? 'messages');
    this.#log = options.logFile === undefined ? undefined : new LogFile(options.logFile);
    this.#gate = new ProviderGate(options.clock ?? systemClock);
    for (const limits of options.providers ?? []) this.#gate.limit(limits);
    this.#rules = new RuleBook({
      seed: options.seed ?? 1,
      providerOf: (domain) => this.#gate.providerOf(domain).name,
      fired: () => this.#milestones.check(),
    });
    this.#rules.set(options.rules ?? []);
    this.#house = this.#furnish(options);
  }

  get port(): number {
    return this.#port;
  }

  get connections(): Connections {
    return {
      open: this.#sessions.size,
      maxSeen: this.#maxSeen,
      total: this.#total,
      interrupted: this.#interrupted,
    };
  }

  start(): Promise<{ port: number }> {
    this.#starting ??= this.#listen();
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const server = this.#server;
    this.#server = undefined;
    this.#starting = undefined;
    for (const session of this.#sessions.values()) session.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    await this.waitForConnections(0, { timeoutMs: STOP_TIMEOUT_MS });
    this.#log?.close();
  }

  accepted(): Accepted {
    return this.#tally;
  }

  clearAccepted(): void {
    this.#tally.clear();
  }

  waitForAccepted(messages: number, { timeoutMs }: Waiting): Promise<void> {
    const describe = (): string => `${this.#tally.messages} of ${messages} messages accepted`;
    return this.#milestones.reach(() => this.#tally.messages >= messages, timeoutMs, describe);
  }

  waitForConnections(atMost: number, { timeoutMs }: Waiting): Promise<void> {
    const describe = (): string => `${this.#sessions.size} connections open, not ${atMost},`;
    return this.#milestones.reach(() => this.#sessions.size <= atMost, timeoutMs, describe);
  }

  setRules(rules: readonly Rule[]): void {
    this.#rules.set(rules);
  }

  addRule(rule: Rule): string {
    return this.#rules.add(rule);
  }

  rules(): readonly RuleState[] {
    return this.#rules.states();
  }

  waitForHits(ruleId: string, hits: number, { timeoutMs }: Waiting): Promise<void> {
    const describe = (): string => `Rule ${ruleId} fired ${this.#rules.hits(ruleId)} of ${hits} times`;
    return this.#milestones.reach(() => this.#rules.hits(ruleId) >= hits, timeoutMs, describe);
  }

  release(ruleId?: string): number {
    const chosen = [...this.#house.stalled].filter(([, id]) => ruleId === undefined || id === ruleId);
    for (const [goOn] of chosen) {
      this.#house.stalled.delete(goOn);
      goOn();
    }
    return chosen.length;
  }

  setCredentials(credentials: Credentials): void {
    this.#house.terms.credentials = credentials;
  }

  limitProvider(limits: ProviderLimits): void {
    this.#gate.limit(limits);
  }

  providers(): Readonly<Record<string, ProviderCounts>> {
    return this.#gate.counts();
  }

  series(sinceMs: number): Readonly<Record<string, readonly SeriesSlot[]>> {
    return this.#gate.series(sinceMs);
  }

  #listen(): Promise<{ port: number }> {
    const server = createServer({ noDelay: true }, (socket) => this.#welcome(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        this.#starting = undefined;
        this.#server = undefined;
        reject(error);
      });
      server.listen({ host: this.#options.host ?? '127.0.0.1', port: this.#port, backlog: 1024 }, () => {
        const address = server.address();
        if (address !== null && typeof address === 'object') this.#port = address.port;
        resolve({ port: this.#port });
      });
    });
  }

  #welcome(socket: Socket): void {
    const session = new Session(++this.#total, socket, this.#house);
    this.#sessions.set(session.id, session);
    const { maxConnections = Infinity } = this.#options;
    this.#maxSeen = Math.max(this.#maxSeen, this.#sessions.size);
    if (this.#sessions.size <= maxConnections) session.begin();
    else session.turnAway(421, '4.7.0 Too many connections, try again later');
  }

  #furnish(options: SinkOptions): House {
    let secureContext: SecureContext | undefined;
    const tls = (): SecureContext => {
      secureContext ??= createSecureContext({ key: sinkPrivateKey, cert: sinkCertificate });
      return secureContext;
    };
    return {
      terms: termsOf(options),
      maxLineBytes: options.maxLineBytes ?? 2048,
      idleTimeoutMs: options.idleTimeoutMs,
      implicitTls: options.implicitTls ? tls() : undefined,
      rules: this.#rules,
      gate: this.#gate,
      random: seededRandom(options.seed ?? 1),
      stalled: new Map(),
      secureContext: tls,
      now: () => (options.clock ?? systemClock).now(),
      nextQueueId: () => (++this.#queueIds).toString(36).toUpperCase().padStart(10, '0'),
      keeps: (envelope) => this.#keeps(envelope),
      accept: (message) => this.#accept(message),
      closed: (connectionId) => this.#closed(connectionId),
      interrupted: () => this.#interrupted++,
    };
  }

  #keeps(envelope: { from: string; to: readonly string[] }): boolean {
    const { keepBodies = 'none' } = this.#options;
    if (typeof keepBodies === 'number') return this.#tally.kept.length < keepBodies;
    return typeof keepBodies === 'function' ? keepBodies(envelope) : keepBodies === 'all';
  }

  /** The file first: what is counted but not written would be a lie after a crash. */
  #accept(message: AcceptedMessage): void {
    this.#log?.append(message);
    this.#tally.add(message);
    this.#gate.accepted(message.to[0] ?? '');
    this.#milestones.check();
  }

  #closed(connectionId: number): void {
    this.#gate.leave(connectionId);
    this.#sessions.delete(connectionId);
    this.#milestones.check();
  }
}
