/** What waits for one destination, by tenant: lanes in the order in which they were served last, as a pass reads them. */
import type { DueLane } from '../../dispatch/demand.ts';
import type { Campaign } from './campaigns.ts';

/** Messages of one campaign that are alike. */
export interface Portion {
  readonly campaign: Campaign;
  /** Attempts made before. */
  readonly attempts: number;
  readonly n: number;
}

/** As in `demand-store.ts`. */
const lanesPerPass = 500;
const campaignClass = 2;

interface LaneWork {
  readonly lane: DueLane;
  fresh: Portion[];
  retries: Portion[];
  freshMessages: number;
  retryMessages: number;
}

export class DestinationLanes {
  readonly #destinationId: number;
  readonly #lanes = new Map<number, LaneWork>();
  messages = 0;

  constructor(destinationId: number) {
    this.#destinationId = destinationId;
  }

  get count(): number {
    return this.#lanes.size;
  }

  add(portion: Portion): void {
    if (portion.n === 0) return;
    const work = this.#laneOf(portion.campaign.tenantId);
    const isRetry = portion.attempts > 0;
    push(isRetry ? work.retries : work.fresh, portion);
    if (isRetry) work.retryMessages += portion.n;
    else work.freshMessages += portion.n;
    this.messages += portion.n;
  }

  /** What a pass finds, `waiting` told. */
  readDue(): readonly DueLane[] {
    const due: DueLane[] = [];
    for (const work of this.#lanes.values()) {
      due.push({ ...work.lane, waiting: work.freshMessages + work.retryMessages });
      if (due.length === lanesPerPass) break;
    }
    return due;
  }

  waitingOf(tenantId: number): { readonly fresh: number; readonly retries: number } {
    const work = this.#lanes.get(tenantId);
    return { fresh: work?.freshMessages ?? 0, retries: work?.retryMessages ?? 0 };
  }

  /** A lane that was served goes behind the others; one that has nothing left is no longer due. */
  take(tenantId: number, fresh: number, retries: number): readonly Portion[] {
    const work = this.#lanes.get(tenantId);
    if (!work) return [];
    work.freshMessages -= fresh;
    work.retryMessages -= retries;
    this.messages -= fresh + retries;
    this.#lanes.delete(tenantId);
    if (work.freshMessages + work.retryMessages > 0) this.#lanes.set(tenantId, work);
    return [...takeFrom(work.fresh, fresh), ...takeFrom(work.retries, retries)];
  }

  takeAll(): readonly Portion[] {
    const tenants = [...this.#lanes.entries()];
    return tenants.flatMap(([tenantId, { freshMessages, retryMessages }]) =>
      this.take(tenantId, freshMessages, retryMessages),
    );
  }

  #laneOf(tenantId: number): LaneWork {
    const known = this.#lanes.get(tenantId);
    if (known) return known;
    const lane = { tenantId, destinationId: this.#destinationId, class: campaignClass, weight: 100 };
    const work = { lane, fresh: [], retries: [], freshMessages: 0, retryMessages: 0 };
    this.#lanes.set(tenantId, work);
    return work;
  }
}

/** Onto the last where that is alike: a page after a page of one campaign is one portion. */
function push(portions: Portion[], portion: Portion): void {
  const last = portions.at(-1);
  if (last && last.campaign === portion.campaign && last.attempts === portion.attempts)
    portions[portions.length - 1] = { ...last, n: last.n + portion.n };
  else portions.push(portion);
}

/** From the front, exactly so many. */
export function takeFrom(portions: Portion[], messages: number): readonly Portion[] {
  const taken: Portion[] = [];
  let left = messages;
  for (let first = portions[0]; first && left > 0; first = portions[0]) {
    const n = Math.min(left, first.n);
    taken.push(n === first.n ? first : { ...first, n });
    left -= n;
    if (n === first.n) portions.shift();
    else portions[0] = { ...first, n: first.n - n };
  }
  return taken;
}
