/**
 * Two workers and a leader at a destination, played in virtual time, with what reality has and `provider-model.ts` leaves out: messages come in grants, which
 * end when a token is too far away and come back after that wait; no more is dispatched than the window; connections say how much can leave;
 * a worker rests after a refusal; reports come four times a second, and all news takes its time.
 */
import { coldState, observe, paceOf, tick } from './learn.ts';
import { createLocalBuckets } from './local-buckets.ts';
import type { Pace } from './pace.ts';
import type { PaceState } from './pace-state.ts';
import { Tally } from './tally.ts';

export interface FleetModel {
  /** What the provider takes from this time on, messages a second; 0: it refuses all. */
  readonly limits: readonly { readonly fromMs: number; readonly perSecond: number }[];
  readonly endMs: number;
  readonly replyMs: number;
}

export interface FleetSecond {
  readonly attempts: number;
  readonly taken: number;
  readonly pace: Pace;
}

const stepMs = 10;
const couriersEach = 5;
const grantMessages = 25;
const dispatchEveryMs = 250;
/** From the dispatcher's decision until the worker has claimed and rendered it. */
const grantTakesMs = 300;
const settleMs = 100;
const readBackMs = 250;
const longestTokenWaitMs = 2_000;
const throttledRestMs = 300;
const readyMs = 250;

export function playFleet(model: FleetModel): readonly FleetSecond[] {
  const fleet = new Fleet(model);
  const seconds: FleetSecond[] = [];
  for (let now = 0; now < model.endMs; now += stepMs) {
    fleet.step(now);
    if ((now + stepMs) % 1_000 === 0) seconds.push(fleet.second(now));
  }
  return seconds;
}

interface Worker {
  readonly name: string;
  /** Grants here: messages that wait. */
  grants: number[];
  /** With a token. */
  ready: number;
  coming: { atMs: number; messages: number }[];
  onTheWire: { answerAt: number; isTaken: boolean }[];
  tally: Tally;
  flushAt: number;
  restUntil: number;
}

class Fleet {
  readonly #model: FleetModel;
  readonly #bucket = createLocalBuckets(() => 1);
  readonly #takes: (nowMs: number) => boolean;
  readonly #workers: [Worker, Worker] = [idleWorker('a', 0), idleWorker('b', 100)];
  #state: PaceState = coldState(0, {}, 10_000);
  #published: { atMs: number; perSecond: number | undefined }[] = [];
  #settling: number[] = [];
  #outstanding = 0;
  #laneHeldUntil = 0;
  #attempts = 0;
  #taken = 0;

  constructor(model: FleetModel) {
    this.#model = model;
    this.#takes = providerOf(model);
  }

  step(now: number): void {
    while (this.#settling[0] !== undefined && this.#settling[0] <= now) {
      this.#settling.shift();
      this.#outstanding--;
    }
    // Neither is always first at the tokens.
    for (const worker of this.#workers.reverse()) {
      this.#hear(worker, now);
      this.#send(worker, now);
      this.#report(worker, now);
    }
    if (now % 100 === 0) this.#learn(now);
    if (now % dispatchEveryMs === 0) this.#dispatch(now);
  }

  second(now: number): FleetSecond {
    const second = { attempts: this.#attempts, taken: this.#taken, pace: paceOf(this.#state, now) };
    [this.#attempts, this.#taken] = [0, 0];
    return second;
  }

  #hear(worker: Worker, now: number): void {
    while (worker.onTheWire[0] && worker.onTheWire[0].answerAt <= now) {
      const { isTaken } = worker.onTheWire.shift()!;
      worker.tally.add({ kind: isTaken ? 'accepted' : 'throttled' });
      this.#settling.push(now + settleMs);
      if (isTaken) continue;
      worker.restUntil = now + throttledRestMs;
      worker.flushAt = Math.min(worker.flushAt, now + 50);
    }
  }

  #send(worker: Worker, now: number): void {
    for (const { messages } of worker.coming.filter(({ atMs }) => atMs <= now)) worker.grants.push(messages);
    worker.coming = worker.coming.filter(({ atMs }) => atMs > now);
    this.#takeTokens(worker, now);
    for (; worker.ready > 0 && worker.onTheWire.length < couriersEach; worker.ready--) {
      const isTaken = this.#takes(now);
      worker.onTheWire.push({ answerAt: now + this.#model.replyMs, isTaken });
      this.#attempts++;
      if (isTaken) this.#taken++;
    }
  }

  /** A quarter of a second's worth is kept ready. A token that is too far away ends the grants, and the lane waits as long. */
  #takeTokens(worker: Worker, now: number): void {
    const target = Math.max(couriersEach, (couriersEach * readyMs) / this.#model.replyMs);
    const wanted = Math.min(Math.floor(target - worker.ready), waitingOf(worker));
    if (wanted <= 0 || now < worker.restUntil) return;
    const perSecond = this.#published.findLast(({ atMs }) => atMs + readBackMs <= now)?.perSecond;
    const bucket = { name: 'd', perSecond: perSecond ?? Number.MAX_SAFE_INTEGER };
    const { granted, waitMs } = this.#bucket.take([bucket], wanted, now);
    worker.ready += granted;
    this.#takeOut(worker, granted);
    if (waitMs <= longestTokenWaitMs) {
      worker.restUntil = Math.max(worker.restUntil, now + waitMs);
      return;
    }
    this.#outstanding -= waitingOf(worker);
    worker.grants = [];
    this.#laneHeldUntil = Math.max(this.#laneHeldUntil, now + waitMs);
  }

  #takeOut(worker: Worker, messages: number): void {
    for (let left = messages; left > 0; ) {
      const some = Math.min(left, worker.grants[0]!);
      left -= some;
      if (some === worker.grants[0]) worker.grants.shift();
      else worker.grants[0]! -= some;
    }
  }

  #report(worker: Worker, now: number): void {
    if (now < worker.flushAt) return;
    worker.flushAt = now + 250;
    const inFlight = worker.onTheWire.length + worker.ready + waitingOf(worker);
    const report = worker.tally.report(1, { inFlight, connections: couriersEach });
    if (report.accepted + report.throttled > 0 || now % 1_000 < 250)
      this.#state = observe(this.#state, report, { owner: worker.name, nowMs: now });
    worker.tally = new Tally();
  }

  #learn(now: number): void {
    const input = { outstanding: this.#outstanding, nowMs: now, limits: {}, ceiling: 10_000, random: 0.5 };
    this.#state = tick(this.#state, input);
    this.#published.push({ atMs: now, perSecond: this.#state.rate?.perSecond });
  }

  /** There is always more to be sent than the window. */
  #dispatch(now: number): void {
    if (now < this.#laneHeldUntil) return;
    for (let room = this.#state.windowMessages - this.#outstanding; room > 0; ) {
      const messages = Math.min(room, grantMessages);
      leastLaden(this.#workers).coming.push({ atMs: now + grantTakesMs, messages });
      this.#outstanding += messages;
      room -= messages;
    }
  }
}

function idleWorker(name: string, flushAt: number): Worker {
  return {
    name,
    grants: [],
    ready: 0,
    coming: [],
    onTheWire: [],
    tally: new Tally(),
    flushAt,
    restUntil: 0,
  };
}

/** Workers take grants as they have room. */
function leastLaden([a, b]: readonly [Worker, Worker]): Worker {
  return laden(a) <= laden(b) ? a : b;
}

function laden(worker: Worker): number {
  return waitingOf(worker) + worker.coming.reduce((sum, { messages }) => sum + messages, 0);
}

function waitingOf({ grants }: Worker): number {
  return grants.reduce((sum, n) => sum + n, 0);
}

/** Takes a tenth of a second's worth at once. */
function providerOf({ limits }: FleetModel): (nowMs: number) => boolean {
  let tokens = 0;
  let filledAt = 0;
  return (nowMs) => {
    const { perSecond } = limits.findLast(({ fromMs }) => fromMs <= nowMs)!;
    tokens = Math.min(Math.max(1, perSecond / 10), tokens + ((nowMs - filledAt) * perSecond) / 1_000);
    filledAt = nowMs;
    if (perSecond === 0 || tokens < 1) return false;
    tokens--;
    return true;
  };
}
