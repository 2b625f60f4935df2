import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shareQuotas } from './share-quotas.ts';

const user = (id: number, outstanding: number, quotas: { destination?: number; transport?: number }) => ({
  ...{ id, transportId: 1, outstanding },
  quotas: { destination: quotas.destination, transport: quotas.transport },
});

it('a destination has what is left of its own quota', () => {
  const left = shareQuotas(
    [user(1, 10, { destination: 100 }), user(2, 0, {})],
    [{ destinationId: 1, transportId: 1, attempts: 30 }],
  );
  expect([...left]).toEqual([[1, 70]]);
});

it('a transport’s is divided among its destinations, on top of what they have', () => {
  const left = shareQuotas(
    [user(1, 40, { transport: 100 }), user(2, 0, { transport: 100 }), user(3, 1, { transport: 100 })],
    [{ destinationId: 9, transportId: 1, attempts: 20 }],
  );
  expect([...left]).toEqual([
    [1, 53],
    [2, 13],
    [3, 14],
  ]);
});

it('attempted and outstanding never exceed a quota, whatever grants are given and end in between', () => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 3 }),
    wanted: fc.integer({ min: 1, max: 60 }),
    ends: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 150 }), fc.array(step, { maxLength: 40 }), (transport, steps) => {
      const outstanding = [0, 0, 0, 0];
      const attempts = [0, 0, 0, 0];
      for (const { id, wanted, ends } of steps) {
        // Outstanding is read first; then a grant ends; then attempts are read.
        const seen = [...outstanding];
        const ended = Math.min(ends, outstanding[id] ?? 0);
        (outstanding[id] as number) -= ended;
        (attempts[id] as number) += ended;
        const left = shareQuotas(
          seen.map((held, at) => user(at, held, { transport, ...(at === 0 && { destination: 40 }) })),
          attempts.map((n, at) => ({ destinationId: at, transportId: 1, attempts: n })),
        );
        (outstanding[id] as number) += Math.min(wanted, Math.max(0, (left.get(id) ?? 0) - (seen[id] ?? 0)));
        const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
        expect(sum(outstanding) + sum(attempts)).toBeLessThanOrEqual(transport);
        expect((outstanding[0] ?? 0) + (attempts[0] ?? 0)).toBeLessThanOrEqual(40);
      }
    }),
  );
});
