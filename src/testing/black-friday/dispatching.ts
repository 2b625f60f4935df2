/** One pass of the dispatcher over the cell: the real policy's shares and grants, over lanes in which messages are counted and not named. */
import type { Candidate } from '../../dispatch/candidate-store.ts';
import type { DestinationDemand, Lane } from '../../dispatch/demand.ts';
import { planShares, type Turns } from '../../dispatch/dispatch-policy.ts';
import { planGrants } from '../../dispatch/plan-grants.ts';
import { RetryCredits } from '../../dispatch/retry-credits.ts';
import type { ReadyChunk } from '../../dispatch/sift-candidates.ts';
import { hasRoom } from '../../dispatch/window-room.ts';
import type { DestinationLanes } from './lanes.ts';
import type { DestinationSending } from './sending.ts';

const campaignClass = 2;
const chunkMessages = 500;
const part = 202648;

export class Dispatching {
  readonly #totalMessages: number;
  #turns: Turns = new Map();
  #credits = new RetryCredits();

  constructor(totalMessages: number) {
    this.#totalMessages = totalMessages;
  }

  /** Answers how many grants were given. */
  pass(lanes: readonly DestinationLanes[], sendings: readonly DestinationSending[], nowMs: number): number {
    const demands = sendings.map((sending, id) => demandOf(id, lanes[id]!, sending, nowMs));
    if (lanes.every(({ messages }) => messages === 0)) this.#credits = new RetryCredits();
    if (demands.every((demand) => demand.lanes.length === 0)) return 0;
    const plan = planShares(demands, { totalMessages: this.#totalMessages }, this.#turns);
    this.#turns = plan.turns;
    const ready = plan.shares.flatMap(({ lane }) => chunksOf(lane, lanes[lane.destinationId]!));
    const planned = planGrants(plan.shares, ready, this.#credits);
    this.#credits.save(planned.credits, demands);
    let grants = 0;
    const moves = new Map<Lane, { fresh: number; retries: number }>();
    for (const { lane, grant } of planned.grants) {
      const move = moves.get(lane) ?? { fresh: 0, retries: 0 };
      moves.set(lane, move);
      if (grant.chunkNo === 0) move.fresh += grant.n;
      else move.retries += grant.n;
      grants += Math.ceil(grant.n / chunkMessages);
    }
    for (const [lane, { fresh, retries }] of moves)
      sendings[lane.destinationId]!.dispatch(lanes[lane.destinationId]!.take(lane.tenantId, fresh, retries));
    return grants;
  }
}

/** As `readDemand` has it: lanes are read only where there is room worth a grant. */
function demandOf(
  destinationId: number,
  lanes: DestinationLanes,
  sending: DestinationSending,
  nowMs: number,
): DestinationDemand {
  const outstanding = { byClass: [0, 0, sending.outstanding] as const, byTenant: sending.byTenant };
  const state = { destinationId, windowMessages: sending.pace(nowMs).windowMessages, outstanding };
  return { ...state, lanes: hasRoom(state, campaignClass) ? lanes.readDue() : [] };
}

/** All fresh messages of a lane as one chunk, and all that are to be tried again as another. */
function chunksOf(lane: Lane, lanes: DestinationLanes): readonly ReadyChunk[] {
  const { fresh, retries } = lanes.waitingOf(lane.tenantId);
  const chunks = fresh > 0 ? [chunkOf(lane, 0, fresh)] : [];
  if (retries > 0) chunks.push(chunkOf(lane, 1, retries));
  return chunks;
}

function chunkOf(lane: Lane, chunkNo: number, messages: number): ReadyChunk {
  const chunk: Candidate = {
    tenantId: lane.tenantId as Candidate['tenantId'],
    campaignId: 0 as Candidate['campaignId'],
    chunkNo,
    part,
    lane,
    epoch: 0,
    sendable: messages,
    crashes: 0,
    size: messages,
    isRetry: chunkNo === 1,
    isRunning: true,
    senderRestsMs: 0,
    perMinute: null,
    overdueMs: 0,
  };
  return { chunk, most: messages };
}
