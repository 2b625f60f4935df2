/**
 * Which of the chunks that are due may go now, and what becomes of the others. Pure.
 *
 * A lane's chunks are read in order of their due time, so one that may not go stands in the way of all behind it: it is parked until its campaign
 * runs again, or due again when its sender's rest is over or its campaign's rate reaches it.
 */
import { largestGrantOf } from '../ledger/poison.ts';
import { groupBy } from '../platform/group-by.ts';
import type { Candidate } from './candidate-store.ts';
import { horizonMs, outstandingAt } from './rate-horizon.ts';

export interface ReadyChunk {
  readonly chunk: Candidate;
  /** Most messages of it in one grant now. */
  readonly most: number;
}

export interface PostponedChunk {
  readonly chunk: Candidate;
  readonly delayMs: number;
}

/**
 * How long a chunk's recipients are to be left alone, ms; 0: not at all. For channels that may not ring at night: messages to phones get chunks by time
 * zone, and their quiet hours here. Email has none.
 */
export type QuietHours = (chunk: Candidate) => number;

const noQuietHours: QuietHours = () => 0;

export interface SiftedCandidates {
  readonly ready: readonly ReadyChunk[];
  /** Their campaign is paused, stopped or past its deadline. */
  readonly parked: readonly Candidate[];
  readonly postponed: readonly PostponedChunk[];
}

/** Looked at again at least so often, ms: limits are raised, pauses lifted, and what was ahead may be settled sooner. */
const longestDelayMs = 300_000;

export function siftCandidates(
  candidates: readonly Candidate[],
  outstandingByCampaign: ReadonlyMap<number, number>,
  quietHours = noQuietHours,
): SiftedCandidates {
  const running = candidates.filter((chunk) => chunk.isRunning);
  const restsMs = (chunk: Candidate) => Math.max(chunk.senderRestsMs, quietHours(chunk));
  const awake = running.filter((chunk) => restsMs(chunk) <= 0);
  const resting = running.filter((chunk) => restsMs(chunk) > 0);
  const limited = limitCampaigns(awake, outstandingByCampaign);
  const ready = awake
    .map((chunk) => ({ chunk, most: limited.most.get(chunk) ?? mostOf(chunk) }))
    .filter(({ most }) => most > 0);
  return {
    ready,
    parked: candidates.filter((chunk) => !chunk.isRunning),
    postponed: [
      ...resting.map((chunk) => ({ chunk, delayMs: Math.min(restsMs(chunk), longestDelayMs) })),
      ...limited.postponed,
    ],
  };
}

function mostOf(chunk: Candidate): number {
  return Math.min(chunk.sendable, largestGrantOf(chunk));
}

/** Chunks of one campaign may lie on many lanes: those that are due longest come first, wherever they are. */
function limitCampaigns(chunks: readonly Candidate[], outstandingByCampaign: ReadonlyMap<number, number>) {
  const most = new Map<Candidate, number>();
  const postponed: PostponedChunk[] = [];
  for (const [campaignId, members] of groupBy(
    chunks.filter((chunk) => chunk.perMinute !== null),
    ({ campaignId }) => campaignId,
  )) {
    const perSecond = (members[0]?.perMinute as number) / 60;
    const outstanding = outstandingByCampaign.get(campaignId) ?? 0;
    let room = Math.max(0, outstandingAt(perSecond) - outstanding);
    let ahead = outstanding;
    for (const chunk of [...members].sort((a, b) => b.overdueMs - a.overdueMs)) {
      const now = Math.min(room, mostOf(chunk));
      most.set(chunk, now);
      if (now === 0) postponed.push({ chunk, delayMs: delayBehind(ahead, perSecond) });
      room -= now;
      ahead += chunk.sendable;
    }
  }
  return { most, postponed };
}

/** When its rate has got through what is ahead. */
function delayBehind(messages: number, perSecond: number): number {
  return Math.min(longestDelayMs, Math.max(horizonMs, Math.ceil((messages / perSecond) * 1_000)));
}
