/**
 * The render stage: a grant's recipients in, one binary value out. It holds no lease and writes no ledger state but `skipped`,
 * through the fence. If we die anywhere in here, the grant is never claimed and comes back after one lease.
 */

import type { ProfileId } from '../../ids.ts';
import { beginRendering, finishRendering } from '../../ledger/claim.ts';
import { formatDeliveryId } from '../../ledger/delivery-id.ts';
import type { Grant } from '../../ledger/grant.ts';
import { recordPoison, recordSkipped } from '../../ledger/outcome.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Database } from '../../platform/mysql.ts';
import type { GrantJob, QueuedGrant } from '../../queues/jobs.ts';
import type { Producer } from '../../queues/producer.ts';
import type { RenderedStore } from '../../queues/rendered-store.ts';
import { grantFields } from '../../tracing/chunk-names.ts';
import { startGrantSpan } from '../../tracing/grant-span.ts';
import { annotate } from '../../tracing/span.ts';
import type { RenderedMessage } from '../message.ts';
import { encodedSize, encodeRendered } from '../payload.ts';
import { renderRecipient } from '../render.ts';
import { formatUnsubscribeUrl, type SigningKey, signDeliveryId, signUnsubscribe } from '../tokens.ts';
import type { CampaignMessages, PreparedMessage } from './campaign-messages.ts';
import { type GrantRecipient, readRecipients } from './read-recipients.ts';
import type { RenderMetrics } from './render-metrics.ts';
import { createRunawayGuard } from './runaway-guard.ts';

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
  readonly signingKey: SigningKey;
  readonly publicUrl: string;
  readonly metrics: RenderMetrics;
}

export interface RenderStage {
  /** Renders every grant of the job, then hands the job on to the send queue. */
  work(job: GrantJob): Promise<void>;
}

/** A grant's value is at most this long; what doesn't fit stays pending and is granted again. */
const largestValueBytes = 1_000_000;
/** Rendering is pure computation: after this many messages others get the event loop (the lock renewal, the probes). */
const messagesPerTurn = 50;

type Skipped = { readonly seq: number; readonly reason: string };

export function createRenderStage(options: RenderStageOptions): RenderStage {
  const { db, log, clock, owner, leaseMs, messages, store, sendQueue, signingKey, publicUrl, metrics } =
    options;
  const runaways = createRunawayGuard();

  /** Answers it with the span that the send stage is to go on from. */
  async function renderTraced(job: GrantJob, grant: QueuedGrant, until: number): Promise<QueuedGrant> {
    const span = startGrantSpan('render', job, grant);
    try {
      await span.around(() => renderGrant(grant, until));
    } catch (error) {
      // The whole job fails with it, and that line knows only the job.
      log.error({ err: error, ...grantFields(grant, job), ...span.fields }, 'grant not rendered');
      throw error;
    }
    return { ...grant, traceparent: span.traceparent };
  }

  async function renderGrant(grant: Grant, until: number): Promise<void> {
    // Nothing is stored for a grant that is stale or claimed: a job that comes twice would overwrite its messages with none.
    if (!(await beginRendering(db, grant, owner, leaseMs)))
      return annotate(() => ({ 'sluice.grant.end': 'stale' }));
    await renderBegun(grant, until);
    await finishRendering(db, grant, owner, leaseMs);
  }

  async function renderBegun(grant: Grant, until: number): Promise<void> {
    const prepared = await messages.prepare(grant.tenantId, grant.campaignId);
    const { recipients, isPoisoned } = await readRecipients(db, grant);
    if (isPoisoned) return quarantine(grant, recipients);
    const stopTimer = metrics.grantSeconds.startTimer();
    const { rendered, skipped } = await renderAll(grant, prepared, recipients, until);
    stopTimer();
    if (skipped.length > 0) await recordSkipped(db, grant, skipped);
    const bytes = encodeRendered(prepared.digest, rendered);
    await store.put(grant, bytes, { digest: prepared.digest, bytes: prepared.segments });
    count(rendered.length, skipped, bytes.length);
  }

  /** The first of them was fatal even alone. It is skipped; the rest is granted again. */
  async function quarantine(grant: Grant, [poison]: readonly GrantRecipient[]): Promise<void> {
    if (poison) await recordPoison(db, grant, poison.seq);
    count(0, [{ seq: poison?.seq ?? 0, reason: 'poison' }], 0);
  }

  async function renderAll(
    grant: Grant,
    prepared: PreparedMessage,
    recipients: readonly GrantRecipient[],
    until: number,
  ) {
    const rendered: RenderedMessage[] = [];
    const skipped: Skipped[] = [];
    let bytes = 0;
    for (const [index, recipient] of recipients.entries()) {
      if (index % messagesPerTurn === messagesPerTurn - 1) await nextTurn();
      if (index > 0 && clock.monotonic() > until) break;
      const result = renderOne(grant, prepared, recipient);
      if (result.kind === 'skipped') {
        skipped.push({ seq: recipient.seq, reason: result.reason });
        continue;
      }
      bytes += encodedSize(result.message);
      if (bytes > largestValueBytes && rendered.length > 0) break;
      rendered.push(result.message);
    }
    return { rendered, skipped };
  }

  function renderOne(grant: Grant, prepared: PreparedMessage, recipient: GrantRecipient) {
    if (prepared.kind === 'broken') return { kind: 'skipped', reason: prepared.reason } as const;
    if (recipient.email === null) return { kind: 'skipped', reason: 'profile_erased' } as const;
    if (recipient.hasMoved) return { kind: 'skipped', reason: 'address_changed' } as const;
    const { tenantId, campaignId } = grant;
    const campaign = `${tenantId}-${campaignId}`;
    if (runaways.hasRunAway(campaign))
      return { kind: 'skipped', reason: 'render_limit: as for others before' } as const;
    const target = { tenantId, profileId: recipient.profileId as ProfileId, list: prepared.unsubscribeList };
    const result = renderRecipient(
      prepared.template,
      {
        seq: recipient.seq,
        email: recipient.email,
        attributes: recipient.attributes,
        token: signDeliveryId(signingKey, formatDeliveryId({ ...grant, seq: recipient.seq })),
        unsubscribeUrl: formatUnsubscribeUrl(publicUrl, signUnsubscribe(signingKey, target)),
      },
      { campaign: prepared.campaign, now: new Date(clock.now()) },
    );
    runaways.note(campaign, result.kind === 'skipped' && result.reason === 'render_limit');
    if (result.kind === 'rendered') return result;
    return { kind: 'skipped', reason: `${result.reason}: ${result.detail}` } as const;
  }

  function count(rendered: number, skipped: readonly Skipped[], bytes: number): void {
    metrics.rendered.inc(rendered);
    metrics.bytes.inc(bytes);
    annotate(() => ({
      'sluice.rendered': rendered,
      'sluice.skipped': skipped.length,
      'sluice.bytes': bytes,
    }));
    for (const { reason } of skipped) metrics.skipped.inc({ reason: reason.split(':')[0] as string });
  }

  return {
    async work(job) {
      const until = clock.monotonic() + leaseMs / 3;
      const grants: QueuedGrant[] = [];
      for (const grant of job.grants) {
        grants.push(clock.monotonic() < until ? await renderTraced(job, grant, until) : grant);
      }
      await sendQueue.enqueue([{ ...job, grants }]);
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
