/** A sender whose ledger grants every intent, and whose transport and clock do what a test says. */
import { expect, vi } from 'vitest';
import type { Result } from '../ledger/outcome.ts';
import type { Pace } from '../pacing/pace.ts';
import type { PaceEvent } from '../pacing/pace-feed.ts';
import type { RateGate } from '../pacing/rate-gate.ts';
import { createMetrics } from '../platform/metrics.ts';
import type { Sql } from '../platform/mysql.ts';
import type { RenderedMessage } from '../render/message.ts';
import { silentLog } from '../testing/test-database.ts';
import type { Courier, OpenResult, OutboundMessage, Outcome } from '../transports/contract.ts';
import { DestinationSender } from './destination-sender.ts';
import { testRun } from './fixtures.ts';
import type { GrantRun } from './grant-run.ts';
import type { SignMessages } from './message-signing.ts';
import { OpenBudget } from './open-budget.ts';
import { createSendMetrics } from './send-metrics.ts';

export const ok: Outcome = { kind: 'accepted', reply: { code: 250, text: 'ok' } };
export const broken: Outcome = { kind: 'untransmitted', reply: { code: 0, text: 'connection lost' } };
export const refusedAccount: Outcome = {
  kind: 'rejected',
  reply: { code: 535, text: 'no' },
  class: 'account',
};
const failed: OpenResult = {
  kind: 'failed',
  failure: { cause: 'refused', reply: { code: 0, text: 'refused' } },
};

const startMs = 1_000;

/** Claimed just now. */
export function freshRun(n: number, chunkNo?: number): GrantRun {
  return testRun(n, { claimedAt: startMs, ...(chunkNo !== undefined && { chunkNo }) });
}

/** Nothing waits, and nothing is under way. */
export function expectSettled(run: GrantRun): void {
  expect([run.waiting, run.open]).toEqual([0, 0]);
}

/** Needs vitest's fake timers. */
export function stage({
  maxCouriers = 3,
  perSecond,
  take,
}: {
  maxCouriers?: number;
  perSecond?: number;
  take?: RateGate['take'];
} = {}) {
  const results: Result[] = [];
  const couriers: { isUsable: boolean }[] = [];
  const budget = new OpenBudget();
  const taught: PaceEvent[] = [];
  const taughtOther: PaceEvent[] = [];
  const seen = { connections: 0, most: 0, opens: 0, wanted: 0 };
  let now = startMs;
  const script = {
    /** Answers whether a connection opens, by its number. */
    open: async (_n: number): Promise<'open' | 'failed'> => 'open',
    deliver: async (
      _seq: number,
      _courier: { isUsable: boolean },
      _message: RenderedMessage,
      _next: () => OutboundMessage | undefined,
    ): Promise<Outcome> => ok,
    intended: async () => undefined as unknown,
    closed: () => undefined as unknown,
    /** A number: a key of their domain can't be used. */
    sign: (async (messages) => messages) as SignMessages | number,
    /** What the leader knows of the destination; undefined: nothing yet. */
    pace: undefined as Pace | undefined,
    /** How many connections the fleet leaves to this process. */
    allowed: (wanted: number, held: number) => Math.max(wanted, held),
  };
  function createCourier(): Courier {
    const state = { isUsable: true };
    couriers.push(state);
    seen.most = Math.max(seen.most, ++seen.connections);
    let closed = false;
    return {
      get isUsable() {
        return state.isUsable;
      },
      async deliver([message], _, next = () => undefined) {
        const { rendered } = message as OutboundMessage;
        return [await script.deliver(rendered.seq, state, rendered, next)];
      },
      async close() {
        if (closed) return;
        closed = true;
        await script.closed();
        seen.connections--;
      },
    };
  }
  const sql = {
    async write(_: string, values: readonly unknown[]) {
      await script.intended();
      return {
        affectedRows: (values.findLast((value) => Array.isArray(value)) as unknown[]).length,
        insertId: 0,
      };
    },
  } as unknown as Sql;
  const sender = new DestinationSender({
    commits: { run: (work) => work(sql), runStatement: (work) => work(sql) },
    clock: { now: () => now, monotonic: () => now },
    log: silentLog,
    owner: 'me',
    writer: {
      write(run, result) {
        results.push(result);
        run.close(1);
      },
      unwritten: 0,
      hasRoom: true,
      whenRoom: async () => undefined,
    },
    rateGate: { take: take ?? (async (_, wanted) => ({ granted: wanted, waitMs: 0 })) },
    budget,
    signing: { begin: async () => script.sign, failedHoldMs: 15_000 },
    transportId: 1,
    destinationId: 7,
    limits: { perSecond, connections: 10 },
    transportPerSecond: undefined,
    pace: {
      start: async () => undefined,
      stop: async () => undefined,
      note: (destinationId, event) => void (destinationId === 7 ? taught : taughtOther).push(event),
      watch: () => () => undefined,
      paceOf: () => script.pace,
      workers: 1,
      onPace: () => undefined,
    },
    slots: {
      start: async () => undefined,
      stop: async () => undefined,
      request: (_, { wanted, held }) => {
        seen.wanted = wanted;
        return script.allowed(wanted, held);
      },
      onChange: () => undefined,
      release: () => undefined,
    },
    siblings: () => [7, 8],
    onOutcome: () => undefined,
    transport: {
      capabilities: { messagesPerCall: 1, maxCouriers },
      async open() {
        const answer = await script.open(++seen.opens);
        return answer === 'open' ? { kind: 'open', courier: createCourier() } : failed;
      },
    },
    rules: { firstDelayMs: 100_000 },
    metrics: createSendMetrics(createMetrics('test')),
  });
  const inState = (state: Result['state']) => results.filter((result) => result.state === state);
  return {
    ...{ sender, script, results, couriers, budget, seen, taught, taughtOther, inState },
    advance(ms: number) {
      now += ms;
      vi.advanceTimersByTime(ms);
    },
  };
}
