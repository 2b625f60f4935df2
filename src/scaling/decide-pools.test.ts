/** How the pools share the database, and what is learnt of their workers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareRoom, workersWithin } from './database-headroom.ts';
import {
  decidePools,
  type KnownPool,
  rememberPools,
  type ScalingFacts,
  type ScalingSettings,
} from './decide-pools.ts';
import { forEachPool, type Pools, poolStateOf } from './pool.ts';
import { learnWorkerRate } from './worker-rate.ts';

const pool = { min: 1, max: 100, drainSeconds: 60, idleMs: 600_000, downAfterMs: 120_000 };
const settings: ScalingSettings = {
  pools: { render: { ...pool, configuredRate: 400 }, send: { ...pool, configuredRate: 100 } },
  ...{ fleetConnections: 60, statementsPerWorker: 4 },
};
const facts: ScalingFacts = {
  ...{ sendableMessages: 0, upcomingMessages: 0, answeredPerSecond: 0, otherProcesses: 4 },
  ...{ held: { render: 0, send: 0 }, live: { render: 1, send: 1 } },
};

function decideAgain(times: number, now: Partial<ScalingFacts>) {
  let before: Pools<KnownPool> = forEachPool(() => ({ state: poolStateOf(1) }));
  for (let i = 0; i < times; i++)
    before = rememberPools(decidePools(before, { ...facts, ...now }, { settings, elapsedMs: 15_000 }));
  return before;
}

test('however much waits, both pools together never have more workers than the database has room for', () => {
  const { render, send } = decideAgain(20, { sendableMessages: 50_000_000 });
  expect(render.state.desired + send.state.desired).toBe(13);
  expect(send.state.desired).toBeGreaterThan(render.state.desired);
  expect([render.state.reason, send.state.reason]).toEqual(['database', 'database']);
});

test('what is needed varies, and a full fleet is not dealt out anew', () => {
  const present: Pools<number> = { render: 3, send: 10 };
  for (let needed = 30; needed < 60; needed++) {
    const shares = shareRoom(13, { render: 12, send: needed }, present);
    expect(shares).toEqual(present);
  }
  expect(shareRoom(13, { render: 40, send: 10 }, present)).toEqual({ render: 10, send: 3 });
});

test('a pool may have what the other doesn’t need, and a full room is dealt out whole', () => {
  const n = fc.integer({ min: 1, max: 200 });
  const pools = fc.record({ render: n, send: n });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), pools, pools, (room, needed, present) => {
      const { render, send } = shareRoom(room, needed, present);
      if (needed.render + needed.send > room) expect(render + send).toBe(room);
      else expect([render >= needed.render, send >= needed.send]).toEqual([true, true]);
      expect(Math.min(render, send)).toBeGreaterThanOrEqual(1);
    }),
  );
  expect([workersWithin(120, 4, 4), workersWithin(4, 6, 4)]).toEqual([28, 2]);
});

test('whatever comes, both pools together stay within the room', () => {
  const anyFacts = fc.record({
    ...{
      sendableMessages: fc.nat(3_000_000),
      upcomingMessages: fc.nat(300_000),
      answeredPerSecond: fc.nat(5_000),
    },
    ...{
      held: fc.record({ render: fc.nat(9), send: fc.nat(9) }),
      live: fc.record({ render: fc.nat(9), send: fc.nat(9) }),
    },
    otherProcesses: fc.constant(4),
  });
  const max = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(fc.array(anyFacts, { minLength: 5 }), max, max, (history, render, send) => {
      const { pools } = settings;
      const bounded = {
        ...settings,
        pools: { render: { ...pools.render, max: render }, send: { ...pools.send, max: send } },
      };
      let before: Pools<KnownPool> = forEachPool(() => ({ state: poolStateOf(1) }));
      for (const now of history) {
        const decided = decidePools(before, now, { settings: bounded, elapsedMs: 15_000 });
        expect(decided.render.state.desired + decided.send.state.desired).toBeLessThanOrEqual(13);
        before = rememberPools(decided);
      }
    }),
  );
});

test('a worker’s rate rises with what is seen, and falls only while it is the worker that is behind', () => {
  const learn = (answeredPerSecond: number, isBehind: boolean, samples: number) => {
    let rate: number | undefined;
    for (let i = 0; i < samples; i++)
      rate = learnWorkerRate(rate, { answeredPerSecond, workers: 2, isBehind, configured: 100 });
    return rate as number;
  };
  expect(learn(600, false, 30)).toBeCloseTo(300, 0);
  expect(learn(20, false, 1_000)).toBe(100);
  expect(learn(100, true, 100)).toBeCloseTo(50, 0);
  expect(learn(0, true, 1_000)).toBe(25);
});

test('a fleet that a provider holds back is not taken for a slow one', () => {
  // 30 a second is what the provider takes; the sendable backlog is that for a minute, and no more.
  const limited = { sendableMessages: 30 * 60, answeredPerSecond: 30, held: { render: 0, send: 90 } };
  const { send } = decideAgain(500, limited);
  expect(send).toMatchObject({ perSecondAndWorker: 100 });
  expect(send.state.desired).toBe(1);
});
