/**
 * What travels in a job: ids and epochs, never content. A job is a wake-up call; the ledger decides (DESIGN 2).
 */
import { z } from 'zod';
import { formatGrant, type Grant } from '../ledger/grant.ts';
import type { DeliveryClass } from '../ledger/states.ts';

/** A grant on its way: with the span of the stage that it comes from, where one is recorded. */
export interface QueuedGrant extends Grant {
  readonly traceparent?: string | undefined;
}

/** Several grants of one destination and class, together up to `largestJob` messages. */
export interface GrantJob {
  readonly class: DeliveryClass;
  readonly destinationId: number;
  readonly transportId: number;
  readonly grants: readonly QueuedGrant[];
}

export const largestJob = 500;

/** A worker of another release reads `v` first; it leaves what it doesn't know, and the chunks come back by themselves. */
const version = 1;

const wireJob = z.object({
  v: z.literal(version),
  c: z.enum(['transactional', 'flow', 'campaign']),
  d: z.number(),
  t: z.number(),
  /** tenant, campaign, chunk, part, epoch, n */
  g: z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()])).min(1),
  /** Each grant's traceparent, or null; missing without tracing, and from releases before it. Nothing about it makes a job unreadable. */
  p: z.array(z.string().nullable()).optional().catch(undefined),
});

export function encodeJob(job: GrantJob): unknown {
  const g = job.grants.map((x) => [x.tenantId, x.campaignId, x.chunkNo, x.part, x.epoch, x.n]);
  const isTraced = job.grants.some((x) => x.traceparent !== undefined);
  const p = isTraced && { p: job.grants.map((x) => x.traceparent ?? null) };
  return { v: version, c: job.class, d: job.destinationId, t: job.transportId, g, ...p };
}

/** Undefined for a job of a version or shape that this release doesn't know. */
export function decodeJob(data: unknown): GrantJob | undefined {
  const { success, data: wire } = wireJob.safeParse(data);
  if (!success) return undefined;
  const grants = wire.g.map(
    ([tenantId, campaignId, chunkNo, part, epoch, n], i) =>
      ({ tenantId, campaignId, chunkNo, part, epoch, n, ...traceOf(wire.p?.[i]) }) as QueuedGrant,
  );
  return { class: wire.c, destinationId: wire.d, transportId: wire.t, grants };
}

function traceOf(traceparent: string | null | undefined) {
  return typeof traceparent === 'string' && { traceparent };
}

/** The same grants make the same id, so that adding a job again is harmless. */
export function jobIdOf(job: GrantJob): string {
  return formatGrant(job.grants[0] as Grant);
}
