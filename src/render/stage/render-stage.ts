/**
 * The render stage: a grant's recipients in, one binary value out. It holds no lease and writes no ledger state but `skipped`,
 * through the fence. If we die anywhere in here, the grant is never claimed and comes back after one lease.
 */
import { beginRendering, finishRendering } from '../../ledger/claim.ts';
import type { Grant } from '../../ledger/grant.ts';
import { recordPoison, recordSkipped } from '../../ledger/outcome.ts';
import { workThrough } from '../../ledger/work-through.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Database } from '../../platform/mysql.ts';
import type { GrantJob, QueuedGrant } from '../../queues/jobs.ts';
import type { Producer } from '../../queues/producer.ts';
import type { RenderedStore } from '../../queues/rendered-store.ts';
import { grantFields } from '../../tracing/chunk-names.ts';
import { startGrantSpan } from '../../tracing/grant-span.ts';
import { annotate } from '../../tracing/span.ts';
import { encodeRendered } from '../payload.ts';
import type { CampaignMessages } from './campaign-messages.ts';
import { type GrantRecipient, readRecipients } from './read-recipients.ts';
import type { RenderMetrics } from './render-metrics.ts';
import type { RecipientRenderer, SkippedRecipient } from './render-recipients.ts';

export interface RenderStageOptions {
  readonly db: Database;
  readonly log: Log;
  readonly clock: Clock;
  /** Names this process on the chunks it renders. */
  readonly owner: string;
  /** The term in which a grant is to be rendered. A job stays well within it: what is left stays pending and is granted again. */
  readonly leaseMs: number;
  readonly messages: CampaignMessages;
  readonly store: RenderedStore;
  readonly sendQueue: Producer;
  readonly renderer: RecipientRenderer;
  readonly metrics: RenderMetrics;
}

export class RenderStage {
  readonly #options: RenderStageOptions;

  constructor(options: RenderStageOptions) {
    this.#options = options;
  }

  /**
   * Renders every grant of the job, then hands those that went well on to the send queue. One whose messages could not be put away (a node of a Redis
   * Cluster is gone) waits out its lease and keeps no other back. Throws when none went well.
   */
  async work(job: GrantJob): Promise<void> {
    const { clock, leaseMs, sendQueue } = this.#options;
    const until = clock.monotonic() + leaseMs / 3;
    const grants = await workThrough(job.grants, (grant) => this.#renderInTime(job, grant, until));
    await sendQueue.enqueue([{ ...job, grants }]);
  }

  async #renderInTime(job: GrantJob, grant: QueuedGrant, until: number): Promise<QueuedGrant> {
    return this.#options.clock.monotonic() < until ? this.#renderTraced(job, grant, until) : grant;
  }

  /** Answers it with the span that the send stage is to go on from. */
  async #renderTraced(job: GrantJob, grant: QueuedGrant, until: number): Promise<QueuedGrant> {
    const span = startGrantSpan('render', job, grant);
    try {
      await span.around(() => this.#renderGrant(grant, until));
    } catch (error) {
      // Should the whole job fail with it, that line knows only the job.
      const fields = { ...grantFields(grant, job), ...span.fields };
      this.#options.log.error({ err: error, ...fields }, 'grant not rendered');
      throw error;
    }
    return { ...grant, traceparent: span.traceparent };
  }

  /** Our name is on the chunk meanwhile. It is taken off whatever happens, so that it is found there only when we died in the midst. */
  async #renderGrant(grant: Grant, until: number): Promise<void> {
    const { db, owner, leaseMs } = this.#options;
    try {
      // Nothing is stored for a grant that is stale or claimed: a job that comes twice would overwrite its messages with none.
      if (!(await beginRendering(db, grant, owner, leaseMs)))
        return annotate(() => ({ 'sluice.grant.end': 'stale' }));
      await this.#renderBegun(grant, until);
      await finishRendering(db, grant, owner, leaseMs);
    } catch (error) {
      // MySQL or Redis is away, and nobody died: four such crashes would make poison of a message. Should this fail too, one is counted that was none.
      await finishRendering(db, grant, owner, leaseMs).catch(() => undefined);
      throw error;
    }
  }

  async #renderBegun(grant: Grant, until: number): Promise<void> {
    const { db, messages, store, renderer, metrics } = this.#options;
    const prepared = await messages.prepare(grant.tenantId, grant.campaignId);
    const { recipients, isPoisoned } = await readRecipients(db, grant);
    if (isPoisoned) return this.#quarantine(grant, recipients);
    const stopTimer = metrics.grantSeconds.startTimer();
    const { rendered, skipped } = await renderer.renderAll({ grant, prepared, recipients, until });
    stopTimer();
    if (skipped.length > 0) await recordSkipped(db, grant, skipped);
    const bytes = encodeRendered(prepared.digest, rendered);
    await store.put(grant, bytes, { digest: prepared.digest, bytes: prepared.segments });
    this.#count(rendered.length, skipped, bytes.length);
  }

  /** The first of them was fatal even alone. It is skipped; the rest is granted again. */
  async #quarantine(grant: Grant, [poison]: readonly GrantRecipient[]): Promise<void> {
    if (poison) await recordPoison(this.#options.db, grant, poison.seq);
    this.#count(0, [{ seq: poison?.seq ?? 0, reason: 'poison' }], 0);
  }

  #count(rendered: number, skipped: readonly SkippedRecipient[], bytes: number): void {
    const { metrics } = this.#options;
    metrics.rendered.inc(rendered);
    metrics.bytes.inc(bytes);
    annotate(() => ({
      'sluice.rendered': rendered,
      'sluice.skipped': skipped.length,
      'sluice.bytes': bytes,
    }));
    for (const { reason } of skipped) metrics.skipped.inc({ reason: reason.split(':')[0] as string });
  }
}
