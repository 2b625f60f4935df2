/**
 * The send stage: claim each grant of a job, fetch its messages, and let its destination's sender have them; end the grant when they are settled.
 *
 * A job ends once its grants are claimed. From then on the chunk's lease says whose they are, so that a destination that stalls holds
 * memory and no slot of the belt. The ledger decides at every step: a stale job fails its claim; a message that was paused, cancelled or suppressed
 * meanwhile fails its intent. If we die, the leases run out: what was `attempting` becomes in doubt, and the rest is sent by others.
 */
import type { IsCounted } from '../ledger/day-attempts.ts';
import type { DueRules } from '../ledger/due.ts';
import { type EndedGrant, endGrant } from '../ledger/end-grant.ts';
import { formatGrant, type Grant } from '../ledger/grant.ts';
import { deliveryClasses } from '../ledger/states.ts';
import type { Log } from '../platform/log.ts';
import type { Database } from '../platform/mysql.ts';
import type { GrantJob, QueuedGrant } from '../queues/jobs.ts';
import type { RenderedStore } from '../queues/rendered-store.ts';
import { decodeRendered } from '../render/payload.ts';
import { grantFields } from '../tracing/chunk-names.ts';
import { startGrantSpan } from '../tracing/grant-span.ts';
import { outcomeAttributes } from '../tracing/outcome-attributes.ts';
import { annotate, type OpenSpan, outsideSpans, startSpan } from '../tracing/span.ts';
import type { CampaignTermsSource } from './campaign-terms.ts';
import type { DestinationSender } from './destination-sender.ts';
import { GrantRun, type GrantRunOptions } from './grant-run.ts';
import { createHeldRoom, type HeldRoom } from './held-room.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { OpenBudget } from './open-budget.ts';
import type { SegmentCache } from './segment-cache.ts';
import type { SendMetrics } from './send-metrics.ts';
import type { SenderPool } from './sender-pool.ts';

export interface SendStageOptions {
  readonly db: Database;
  readonly log: Log;
  readonly owner: string;
  readonly leases: LeaseKeeper;
  readonly store: RenderedStore;
  readonly segments: SegmentCache;
  readonly terms: CampaignTermsSource;
  readonly pool: SenderPool;
  readonly budget: OpenBudget;
  readonly rules: DueRules;
  /** Destinations whose attempts count against a quota; default: none. */
  readonly isCounted?: IsCounted | undefined;
  readonly metrics: SendMetrics;
  /** Messages of campaigns held at once; the other classes get a quarter of it each on top. */
  readonly mostHeld: number;
}

/** The transport is gone or can't be set up: look again after this. */
const noTransportHoldMs = 30_000;
/** The messages are gone or of another release: they are rendered anew, but not over and over at full speed. */
const unreadableHoldMs = 1_000;
/** This process holds enough of that destination: others may have room. */
const crowdedHoldMs = 2_000;

interface Claimed {
  readonly grant: Grant;
  /** Monotonic ms at which the claim was asked for. */
  readonly claimedAt: number;
  /** It goes back at once: this process holds enough of its destination. */
  readonly isCrowded: boolean;
  /** From when its job arrived to its end. */
  readonly span: OpenSpan;
  readonly leave: () => void;
}

type Rendered = Pick<GrantRunOptions, 'compiled' | 'messages'>;
const nothing: Rendered = { compiled: { digest: '', segments: [] }, messages: [] };

export class SendStage {
  readonly #options: SendStageOptions;
  /** Grants this process works on: a job delivered twice must not send twice, though the claim would succeed for us. */
  readonly #active = new Map<string, Promise<void>>();
  readonly #rooms: readonly HeldRoom[];

  constructor(options: SendStageOptions) {
    this.#options = options;
    this.#rooms = roomsFor(options.mostHeld);
  }

  /** Resolves when the job's grants are claimed, or found to be nobody's business. Throws only for broken infrastructure. */
  async work(job: GrantJob): Promise<void> {
    const results = await Promise.allSettled(job.grants.map((grant) => this.#begin(job, grant)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Resolves when all grants that were claimed are ended. */
  async drained(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active.values());
  }

  async #begin(job: GrantJob, grant: QueuedGrant): Promise<void> {
    const name = formatGrant(grant);
    const active = this.#active;
    if (active.has(name)) return;
    const claiming = this.#claim(job, grant);
    const whole = claiming.then(
      (claimed) => claimed && this.#settle(job, claimed),
      () => undefined,
    );
    active.set(
      name,
      whole.finally(() => active.delete(name)),
    );
    await claiming;
  }

  async #claim(job: GrantJob, grant: QueuedGrant): Promise<Claimed | undefined> {
    const { leases, metrics } = this.#options;
    const span = startGrantSpan('send', job, grant);
    const room = this.#rooms[deliveryClasses[job.class]] as HeldRoom;
    const isCrowded = (await room.enter(job.destinationId, grant.n)) === 'crowded';
    const leave = () => (isCrowded ? undefined : room.leave(job.destinationId, grant.n));
    try {
      const claimedAt = await leases.claim(grant);
      if (claimedAt !== undefined) return { grant, claimedAt, isCrowded, span, leave };
    } catch (error) {
      leave();
      span.end(error);
      throw error;
    }
    leave();
    metrics.grants.inc({ end: 'stale' });
    span.set(() => ({ 'sluice.grant.end': 'stale' }));
    span.end();
    return undefined;
  }

  /** Never rejects: where it can't go on, the lease runs out. */
  async #settle(job: GrantJob, claimed: Claimed): Promise<void> {
    const { grant, span } = claimed;
    span.note('claimed');
    try {
      await span.around(() => this.#sendClaimed(job, claimed));
    } catch (error) {
      const fields = { ...grantFields(grant, job), ...span.fields };
      this.#options.log.error({ err: error, ...fields }, 'grant not ended: its lease will run out');
    } finally {
      claimed.leave();
    }
  }

  async #sendClaimed(job: GrantJob, claimed: Claimed): Promise<void> {
    const { leases, metrics, pool } = this.#options;
    const { grant, span } = claimed;
    const run = await this.#open(job, claimed);
    leases.keep(run);
    metrics.held.inc(grant.n);
    try {
      await outsideSpans(async () => sendOver(await pool.get(job), run));
    } finally {
      leases.forget(run);
      metrics.held.dec(grant.n);
    }
    await this.#end(run, span);
  }

  /** The grant with its messages; one that can't be sent is stopped already. */
  async #open(job: GrantJob, { grant, claimedAt, isCrowded, span }: Claimed): Promise<GrantRun> {
    const { leases, terms, budget } = this.#options;
    const rendered = isCrowded ? nothing : await this.#fetchRendered(job, grant);
    const run = new GrantRun({
      ...{ grant, claimedAt, budget, lease: leases.terms, class: deliveryClasses[job.class] },
      ...(rendered ?? nothing),
      terms: await terms.of(grant),
      fields: () => ({ ...grantFields(grant, job), ...span.fields }),
    });
    if (isCrowded) run.stop(crowdedHoldMs);
    else if (!rendered) run.stop(unreadableHoldMs, { isOwn: true });
    return run;
  }

  /**
   * Undefined when they are no longer there, are of another release, or Redis is away: the grant then ends and is rendered
   * anew, rather than wait out its lease.
   */
  async #fetchRendered(job: GrantJob, grant: Grant): Promise<Rendered | undefined> {
    const { store, segments, log } = this.#options;
    try {
      const bytes = await store.take(grant);
      if (!bytes) return undefined;
      const { digest, messages } = decodeRendered(bytes);
      if (messages.length === 0) return nothing;
      const compiled = await segments.get(digest);
      return compiled && { compiled, messages };
    } catch (error) {
      log.warn({ err: error, ...grantFields(grant, job) }, 'rendered messages not readable');
      return undefined;
    }
  }

  async #end(run: GrantRun, span: OpenSpan): Promise<void> {
    const { metrics, log, store } = this.#options;
    const ended = await startSpan('outcome').around(() => this.#writeEnd(run));
    const how = ended.wasOurs ? 'ended' : 'lost';
    metrics.grants.inc({ end: how });
    span.set(() => outcomeAttributes(ended));
    if (log.isLevelEnabled('debug')) log.debug({ ...run.fields, end: how }, 'grant ended');
    await store.drop(run.grant).catch(() => undefined);
  }

  async #writeEnd({ grant, holdMs, laneHoldMs }: GrantRun): Promise<EndedGrant> {
    const { db, owner, rules, isCounted } = this.#options;
    const ended = await endGrant(db, grant, { owner, rules, holdMs, laneHoldMs, isCounted });
    annotate(() => outcomeAttributes(ended));
    return ended;
  }
}

function sendOver(sender: DestinationSender | 'gone' | 'stopping', run: GrantRun): Promise<void> {
  if (typeof sender !== 'string') return sender.send(run);
  run.stop(sender === 'gone' ? noTransportHoldMs : 0);
  return run.over;
}

/** By class code: campaigns fill their own room, and never that of transactional mail. */
function roomsFor(mostHeld: number): readonly HeldRoom[] {
  const campaign = deliveryClasses.campaign;
  return Object.values(deliveryClasses).map((code) =>
    createHeldRoom(code === campaign ? mostHeld : Math.ceil(mostHeld / 4)),
  );
}
