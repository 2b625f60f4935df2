/**
 * Passes over one destination in a closed loop, with what a test of `planShares` alone leaves out: a chunk has one grant under way at a time, so a tenant
 * of one chunk has nothing ready until that grant has ended; a pass reads 500 due lanes, those first that were served longest ago, and looks into few
 * of them; lanes without ready chunks sleep until a grant ends. Messages leave first come, first served, at a fixed rate.
 */
import type { Candidate } from './candidate-store.ts';
import type { DestinationDemand } from './demand.ts';
import { planReads, type Turns } from './dispatch-policy.ts';
import { planPass } from './plan-pass.ts';
import { RetryCredits } from './retry-credits.ts';

const lanesPerPass = 500;
const largestChunk = 500;
const passMs = 50;
const limits = { totalMessages: 40_000 };

export interface LoopTenant {
  readonly id: number;
  readonly weight: number;
  readonly messages: number;
}

export interface LoopOptions {
  readonly perSecond: number;
  readonly windowMessages: number;
  /** Until the end of a grant is told, ms. */
  readonly settlingMs: number;
  /** Is a new leader, who remembers nothing, to take over after this pass? */
  readonly forgets?: (pass: number) => boolean;
}

interface Chunk {
  readonly no: number;
  left: number;
  underWay: number;
}

interface Member {
  readonly id: number;
  readonly weight: number;
  readonly chunks: Chunk[];
  served: number;
  firstAtMs: number;
  dueAt: number;
}

interface Grant {
  readonly member: Member;
  readonly chunk: Chunk;
  readonly n: number;
  left: number;
  endsAtMs: number;
}

export class ClosedLoop {
  readonly members: Member[];
  grants = 0;
  nowMs = 0;
  readonly #options: LoopOptions;
  #passes = 0;
  #turns: Turns = new Map();
  #queue: Grant[] = [];
  #ending: Grant[] = [];
  #owed = 0;

  constructor(tenants: readonly LoopTenant[], options: LoopOptions) {
    this.members = tenants.map(toMember);
    this.#options = options;
  }

  backlogged(): readonly Member[] {
    return this.members.filter(({ chunks }) => chunks.some(({ left }) => left > 0));
  }

  pass(): void {
    this.#passes += 1;
    if (this.#options.forgets?.(this.#passes)) this.#turns = new Map();
    const demands = [this.#demand()];
    const reads = planReads(demands, limits, this.#turns);
    const byId = new Map(this.members.map((member) => [member.id, member]));
    const candidates = reads.flatMap(({ lane }) => candidatesOf(byId.get(lane.tenantId) as Member));
    const outstandingByCampaign = new Map<number, number>();
    const memory = { turns: this.#turns, credits: new RetryCredits() };
    const plan = planPass({ demands, limits, reads, candidates, outstandingByCampaign, ...memory });
    this.#turns = plan.turns;
    for (const { tenantId } of plan.idleLanes) (byId.get(tenantId) as Member).dueAt = Infinity;
    for (const { lane, grant } of plan.grants)
      this.#dispatch(byId.get(lane.tenantId) as Member, grant.chunkNo, grant.n);
    this.#serve();
    this.nowMs += passMs;
  }

  #demand(): DestinationDemand {
    const due = this.members.filter(({ dueAt }) => dueAt <= this.nowMs).sort((a, b) => a.dueAt - b.dueAt);
    const byTenant = new Map<number, number>();
    const held = [...this.#queue, ...this.#ending];
    for (const { member, n } of held) byTenant.set(member.id, (byTenant.get(member.id) ?? 0) + n);
    const all = held.reduce((sum, { n }) => sum + n, 0);
    return {
      destinationId: 1,
      windowMessages: this.#options.windowMessages,
      outstanding: { byClass: [0, 0, all], byTenant },
      lanes: due
        .slice(0, lanesPerPass)
        .map(({ id, weight }) => ({ tenantId: id, destinationId: 1, class: 2, weight })),
    };
  }

  #dispatch(member: Member, chunkNo: number, n: number): void {
    const chunk = member.chunks.find(({ no }) => no === chunkNo) as Chunk;
    chunk.underWay = n;
    member.dueAt = Math.min(member.dueAt, this.nowMs);
    if (member.dueAt <= this.nowMs) member.dueAt = this.nowMs;
    this.grants += 1;
    this.#queue.push({ member, chunk, n, left: n, endsAtMs: 0 });
  }

  #serve(): void {
    this.#owed += (this.#options.perSecond * passMs) / 1_000;
    for (let head = this.#queue[0]; head && this.#owed >= 1; head = this.#queue[0]) {
      const n = Math.min(head.left, Math.floor(this.#owed));
      head.member.firstAtMs = Math.min(head.member.firstAtMs, this.nowMs);
      head.member.served += n;
      head.left -= n;
      this.#owed -= n;
      if (head.left > 0) continue;
      this.#queue.shift();
      this.#ending.push({ ...head, endsAtMs: this.nowMs + this.#options.settlingMs });
    }
    if (this.#queue.length === 0) this.#owed = 0;
    this.#end();
  }

  #end(): void {
    const ended = this.#ending.filter(({ endsAtMs }) => endsAtMs <= this.nowMs);
    this.#ending = this.#ending.filter(({ endsAtMs }) => endsAtMs > this.nowMs);
    for (const { member, chunk, n } of ended) {
      chunk.left -= n;
      chunk.underWay = 0;
      if (chunk.left > 0) member.dueAt = Math.min(member.dueAt, this.nowMs);
    }
  }
}

function toMember({ id, weight, messages }: LoopTenant): Member {
  const chunks = Array.from({ length: Math.ceil(messages / largestChunk) }, (_, no) => ({
    ...{ no, underWay: 0 },
    left: Math.min(largestChunk, messages - no * largestChunk),
  }));
  return { id, weight, chunks, served: 0, firstAtMs: Infinity, dueAt: 0 };
}

function candidatesOf({ id, chunks }: Member): readonly Candidate[] {
  return chunks
    .filter(({ left, underWay }) => left > 0 && underWay === 0)
    .map(({ no, left }) => ({
      ...({ tenantId: id, campaignId: id, chunkNo: no, part: 202647 } as Pick<
        Candidate,
        'tenantId' | 'campaignId' | 'chunkNo' | 'part'
      >),
      lane: { tenantId: id, destinationId: 1, class: 2 },
      ...{ epoch: 0, sendable: left, crashes: 0, size: largestChunk, isRetry: false },
      ...{ isRunning: true, senderRestsMs: 0, perMinute: null, overdueMs: 0 },
    }));
}
