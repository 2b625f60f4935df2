/**
 * The send stage: claim each grant of a job, fetch its messages, send them, end it.
 *
 * The ledger decides at every step: a stale job fails its claim; a message that was paused, cancelled or suppressed
 * meanwhile fails its intent. If we die, the leases run out: what was `attempting` becomes in doubt, and the rest is sent by others.
 */
import type { DueRules } from '../ledger/due.ts';
import { endGrant } from '../ledger/end-grant.ts';
import { formatGrant, type Grant } from '../ledger/grant.ts';
import type { Log } from '../platform/log.ts';
import type { Database } from '../platform/mysql.ts';
import type { GrantJob } from '../queues/jobs.ts';
import type { RenderedStore } from '../queues/rendered-store.ts';
import { decodeRendered } from '../render/payload.ts';
import type { CampaignScopes } from './campaign-scopes.ts';
import { GrantRun, type GrantRunOptions } from './grant-run.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { SegmentCache } from './segment-cache.ts';
import type { SendMetrics } from './send-metrics.ts';
import type { TransportPool } from './transport-pool.ts';
import type { TransportSender } from './transport-sender.ts';

export interface SendStageOptions {
  readonly db: Database;
  readonly log: Log;
  readonly owner: string;
  readonly leases: LeaseKeeper;
  readonly store: RenderedStore;
  readonly segments: SegmentCache;
  readonly scopes: CampaignScopes;
  readonly pool: TransportPool;
  readonly rules: DueRules;
  readonly metrics: SendMetrics;
}

export interface SendStage {
  work(job: GrantJob): Promise<void>;
}

/** The transport is gone or can't be set up: look again after this. */
const noTransportHoldMs = 30_000;
/** The messages are gone or of another release: they are rendered anew, but not over and over at full speed. */
const unreadableHoldMs = 1_000;

type Rendered = Pick<GrantRunOptions, 'compiled' | 'messages'>;
const nothing: Rendered = { compiled: { digest: '', segments: [] }, messages: [] };

export function createSendStage(options: SendStageOptions): SendStage {
  const { db, log, owner, leases, store, segments, scopes, pool, rules, metrics } = options;
  /** Grants this process works on: a job delivered twice must not send twice, though the claim would succeed for us. */
  const active = new Set<string>();

  async function sendGrant(grant: Grant, transportId: number): Promise<void> {
    const name = formatGrant(grant);
    if (active.has(name)) return;
    active.add(name);
    try {
      const claimedAt = await leases.claim(grant);
      if (claimedAt === undefined) return metrics.grants.inc({ end: 'stale' });
      await sendClaimed(grant, transportId, claimedAt);
    } finally {
      active.delete(name);
    }
  }

  async function sendClaimed(grant: Grant, transportId: number, claimedAt: number): Promise<void> {
    const rendered = await fetchRendered(grant);
    const { terms } = leases;
    const run = new GrantRun({
      grant,
      claimedAt,
      lease: terms,
      ...(rendered ?? nothing),
      scopes: await scopes.of(grant),
    });
    if (!rendered) run.stop(unreadableHoldMs);
    leases.keep(run);
    try {
      await sendOver(await pool.get(transportId), run);
    } finally {
      leases.forget(run);
    }
    await end(run);
  }

  function sendOver(sender: TransportSender | 'gone' | 'stopping', run: GrantRun): Promise<void> {
    if (typeof sender !== 'string') return sender.send(run);
    run.stop(sender === 'gone' ? noTransportHoldMs : 0);
    return run.over;
  }

  /**
   * Undefined when they are no longer there, are of another release, or Redis is away: the grant then ends and is rendered
   * anew, rather than wait out its lease.
   */
  async function fetchRendered(grant: Grant): Promise<Rendered | undefined> {
    try {
      const [bytes] = await store.take([grant]);
      if (!bytes) return undefined;
      const { digest, messages } = decodeRendered(bytes);
      if (messages.length === 0) return nothing;
      const compiled = await segments.get(digest);
      return compiled && { compiled, messages };
    } catch (error) {
      log.warn(
        { err: error, campaignId: grant.campaignId, chunkNo: grant.chunkNo },
        'rendered messages not readable',
      );
      return undefined;
    }
  }

  async function end(run: GrantRun): Promise<void> {
    const { wasOurs } = await endGrant(db, run.grant, { owner, holdMs: run.holdMs, rules });
    metrics.grants.inc({ end: wasOurs ? 'ended' : 'lost' });
    await store.drop(run.grant).catch(() => undefined);
  }

  return {
    async work(job) {
      const results = await Promise.allSettled(job.grants.map((grant) => sendGrant(grant, job.transportId)));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}
