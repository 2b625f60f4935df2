/**
 * A fleet and a provider, played in virtual time: four workers send as fast as the published rate and their own speed allow, the
 * provider takes what its token bucket holds and refuses the rest. Replies, reports and paces take their time, so that a
 * refusal is felt 250 to 500 ms after the message that was one too many.
 */
import { coldState, observe, paceOf, tick } from './learn.ts';
import type { Pace, PaceReport } from './pace.ts';
import type { PaceState } from './pace-state.ts';
import { Tally } from './tally.ts';

export interface ProviderModel {
  /** Messages a second the provider takes from this time on, ms. */
  readonly limits: readonly { readonly fromMs: number; readonly perSecond: number }[];
  readonly endMs: number;
  /** The fleet's own speed, messages a second. */
  readonly demandPerSecond: number;
  /** What the provider takes at once, in seconds of its limit. */
  readonly burstSeconds: number;
  /** The learner under test; `learn.ts`'s unless told. */
  readonly tick?: typeof tick;
}

export interface Sample {
  readonly atMs: number;
  readonly pace: Pace;
  /** In the tenth of a second before. */
  readonly attempts: number;
  readonly refused: number;
}

const stepMs = 10;
const replyMs = 120;
const readBackMs = 250;
const workers = 4;

export function playProvider(model: ProviderModel): readonly Sample[] {
  const provider = tokenBucket(model);
  const learner = leader(model);
  const tallies = Array.from({ length: workers }, () => ({
    tally: new Tally(),
    flushedAt: 0,
    isUrgent: false,
  }));
  const onTheWire: { answerAt: number; worker: number; isTaken: boolean }[] = [];
  const samples: Sample[] = [];
  let [credit, attempts, refused, turn] = [0, 0, 0, 0];
  for (let now = 0; now < model.endMs; now += stepMs) {
    const rate = Math.min(learner.rateReadBy(now), model.demandPerSecond);
    for (credit += (rate * stepMs) / 1_000; credit >= 1; credit--) {
      const isTaken = provider(now);
      onTheWire.push({ answerAt: now + replyMs, worker: turn++ % workers, isTaken });
      attempts++;
      if (!isTaken) refused++;
    }
    while (onTheWire[0] && onTheWire[0].answerAt <= now) {
      const { worker, isTaken } = onTheWire.shift()!;
      tallies[worker]!.tally.add({ kind: isTaken ? 'accepted' : 'throttled' });
      if (!isTaken) tallies[worker]!.isUrgent = true;
    }
    for (const [i, worker] of tallies.entries()) {
      if (now - worker.flushedAt < (worker.isUrgent ? 50 : 250) + i) continue;
      learner.hear(worker.tally.report(1, { inFlight: 0, connections: 1 }), `w${i}`, now);
      Object.assign(worker, { tally: new Tally(), flushedAt: now, isUrgent: false });
    }
    if (now % 100 !== 0) continue;
    samples.push({ atMs: now, pace: learner.learn(now, credit + onTheWire.length + 1e6), attempts, refused });
    [attempts, refused] = [0, 0];
  }
  return samples;
}

function leader({ tick: move = tick }: ProviderModel) {
  let state: PaceState = coldState(0, {}, 10_000);
  const published: { atMs: number; rate: number }[] = [{ atMs: 0, rate: Number.POSITIVE_INFINITY }];
  return {
    hear(report: PaceReport, owner: string, nowMs: number) {
      state = observe(state, report, { owner, nowMs });
    },
    learn(nowMs: number, outstanding: number): Pace {
      state = move(state, { outstanding, nowMs, limits: {}, ceiling: 10_000, random: 0.5 });
      const pace = paceOf(state, nowMs);
      published.push({ atMs: nowMs, rate: pace.learntPerSecond ?? Number.POSITIVE_INFINITY });
      return pace;
    },
    rateReadBy: (nowMs: number) =>
      published.findLast(({ atMs }) => atMs + readBackMs <= nowMs)?.rate ?? Infinity,
  };
}

function tokenBucket({ limits, burstSeconds }: ProviderModel): (nowMs: number) => boolean {
  let tokens = limits[0]!.perSecond * burstSeconds;
  let filledAt = 0;
  return (nowMs) => {
    const { perSecond } = limits.findLast(({ fromMs }) => fromMs <= nowMs)!;
    tokens = Math.min(
      Math.max(1, perSecond * burstSeconds),
      tokens + ((nowMs - filledAt) * perSecond) / 1_000,
    );
    filledAt = nowMs;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
