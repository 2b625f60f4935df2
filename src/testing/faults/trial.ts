/** The hands of an experiment: its campaigns, its sink, the installation it breaks. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SmtpSink } from '../smtp-sink/sink.ts';
import {
  createTestCampaign,
  createTestOwner,
  type TestCampaign,
  type TestCampaignOptions,
  type TestOwner,
} from '../test-campaign.ts';
import { waitFor } from '../wait-for.ts';
import type { Fleet, Role, Worker } from './fleet.ts';
import type { Installation } from './installation.ts';
import type { ProxyRule } from './proxy-rule.ts';
import type { ActiveRule } from './proxy-rules.ts';

export interface TrialOptions {
  readonly installation: Installation;
  readonly fleet: Fleet;
  readonly sink: SmtpSink;
}

type CampaignOptions = Partial<Omit<TestCampaignOptions, 'db' | 'keys' | 'smtpPort' | 'emails'>>;

export const edgeTimeoutMs = 20_000;
const endTimeoutMs = 60_000;

export class Trial {
  readonly installation: Installation;
  readonly fleet: Fleet;
  readonly sink: SmtpSink;
  readonly campaigns: TestCampaign[] = [];
  readonly #owners: TestOwner[] = [];
  recipients = 0;
  killedWorkers = 0;
  /** Addresses given out, those of campaigns that could not be put in included. */
  #people = 0;
  #healedAt = performance.now();

  constructor({ installation, fleet, sink }: TrialOptions) {
    this.installation = installation;
    this.fleet = fleet;
    this.sink = sink;
  }

  /** A campaign that is due, to so many recipients; doubts are resent unless the experiment says otherwise. */
  async launch(recipients: number, options: CampaignOptions = {}): Promise<TestCampaign> {
    const campaign = await createTestCampaign({ ...this.#audience(recipients), ...options });
    // Counted only now: a database that is away takes no campaign, and nobody is owed a message of it.
    this.recipients += recipients;
    this.campaigns.push(campaign);
    this.#owners.push(campaign);
    return campaign;
  }

  /** Whose campaign, one and to all of them, is submitted by the experiment itself. */
  async openOwner(recipients: number): Promise<TestOwner> {
    const owner = await createTestOwner(this.#audience(recipients));
    this.recipients += recipients;
    this.#owners.push(owner);
    return owner;
  }

  #audience(recipients: number): TestCampaignOptions {
    const { db, keys } = this.installation;
    const first = this.#people;
    this.#people += recipients;
    return {
      db,
      keys,
      emails: Array.from({ length: recipients }, (_, i) => `person${first + i}@example.com`),
      smtpPort: this.sink.port,
      inDoubtPolicy: 'resend',
    };
  }

  worker(role: Role): Worker {
    const [worker] = this.fleet.running(role);
    if (!worker) throw new Error(`no ${role} is running`);
    return worker;
  }

  async kill(role: Role): Promise<void> {
    this.killedWorkers++;
    await this.worker(role).kill();
  }

  /** Kills the worker at the edge that the rule holds, and starts another. */
  async killAt(role: Role, server: 'mysql' | 'redis', rule: ProxyRule): Promise<void> {
    const edge = this.rule(role, server, rule);
    await edge.waitForHit(edgeTimeoutMs);
    await this.kill(role);
    this.installation.healProxies();
    await this.fleet.start(role);
    this.healed();
  }

  /** So that a campaign lasts: some 250 messages a second at ten connections. */
  slowDown(ms = 40): void {
    this.sink.addRule({ id: 'slow', stage: 'dot', action: { do: 'delay', ms } });
  }

  waitForAccepted(messages: number): Promise<void> {
    return this.sink.waitForAccepted(messages, { timeoutMs: edgeTimeoutMs });
  }

  /** Fails when any message is accepted in `ms` from now. */
  async assertSilence(ms: number): Promise<void> {
    const before = this.sink.accepted().messages;
    await sleep(ms);
    const accepted = this.sink.accepted().messages - before;
    if (accepted > 0) throw new Error(`${accepted} messages were sent where none may be`);
  }

  rule(role: Role, server: 'mysql' | 'redis', rule: ProxyRule): ActiveRule {
    return this.installation.proxies[role][server].addRule(rule);
  }

  /** The fault is over: from here on recovery is timed. */
  healed(): void {
    this.#healedAt = performance.now();
  }

  get sinceHealedMs(): number {
    return performance.now() - this.#healedAt;
  }

  get tenantIds(): readonly number[] {
    return this.#owners.map((owner) => owner.tenantId);
  }

  /** Deliveries in a state now. A database that is away counts nothing. */
  async count(state: number): Promise<number> {
    const row = await this.installation.db
      .first<{ n: number }>('SELECT COUNT(*) AS n FROM deliveries WHERE tenant_id IN (?) AND state = ?', [
        this.tenantIds,
        state,
      ])
      .catch(() => undefined);
    return row?.n ?? 0;
  }

  waitForCount(what: string, state: number, atLeast: number): Promise<unknown> {
    return waitFor(what, async () => (await this.count(state)) >= atLeast, edgeTimeoutMs);
  }

  /** Until every campaign is over and settled. */
  async waitForEnd(): Promise<void> {
    await waitFor('the campaigns to end', () => this.#isOver().catch(() => false), endTimeoutMs);
  }

  async #isOver(): Promise<boolean> {
    const rows = await this.installation.db.rows(
      `SELECT 1 FROM campaigns WHERE tenant_id IN (?) AND (state NOT IN ('sent', 'cancelled', 'failed') OR settling = 1)`,
      [this.tenantIds],
    );
    return rows.length === 0;
  }

  /** For faults that last a while; never to wait for something to have happened. */
  pause(ms: number): Promise<void> {
    return sleep(ms);
  }
}
