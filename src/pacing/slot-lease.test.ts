import { expect, test } from 'vitest';
import { SlotLease } from './slot-lease.ts';

function leaseOf({ wanted, held, allowed }: { wanted: number; held: number; allowed: number }): SlotLease {
  const lease = new SlotLease(10);
  lease.want({ cap: 10, wanted, held: 0 });
  lease.ask();
  lease.answer(allowed);
  lease.want({ cap: 10, wanted, held });
  return lease;
}

test('the fleet is asked at once for more, once, and when what was to be given up is closed', () => {
  const lease = leaseOf({ wanted: 4, held: 4, allowed: 2 });
  expect(lease.want({ cap: 10, wanted: 4, held: 4 })).toBe(false);
  expect(lease.want({ cap: 10, wanted: 5, held: 4 })).toBe(true);
  lease.ask();
  expect(lease.want({ cap: 10, wanted: 5, held: 4 }), 'it has been asked').toBe(false);
  expect(lease.want({ cap: 10, wanted: 5, held: 3 })).toBe(true);
  expect(lease.want({ cap: 10, wanted: 5, held: 2 }), 'to what it may').toBe(true);
  expect(lease.want({ cap: 10, wanted: 5, held: 1 }), 'of its own').toBe(false);
});

test('what is wanted while an answer is on its way is asked for after it', () => {
  const lease = leaseOf({ wanted: 1, held: 1, allowed: 1 });
  lease.ask();
  lease.want({ cap: 10, wanted: 3, held: 1 });
  expect(lease.answer(1)).toBe(true);
  expect(lease.ask()).toEqual([10, 3, 1]);
  expect(lease.answer(2)).toBe(false);
});

test('asks for the most that was wanted since the renewal', () => {
  const lease = leaseOf({ wanted: 3, held: 1, allowed: 3 });
  lease.want({ cap: 10, wanted: 1, held: 1 });
  expect(lease.ask()).toEqual([10, 3, 1]);
  lease.renew();
  expect(lease.ask()).toEqual([10, 1, 1]);
});

test('is forgotten only when Redis has heard that it is over, and nothing was wanted since', () => {
  const lease = leaseOf({ wanted: 2, held: 1, allowed: 2 });
  lease.end();
  expect(lease.isForgotten).toBe(false);
  lease.ask();
  expect(lease.isForgotten).toBe(true);
  lease.want({ cap: 10, wanted: 1, held: 0 });
  expect(lease.isForgotten).toBe(false);
});

test('alone it may keep what it holds, within the cap, and have a first', () => {
  expect(leaseOf({ wanted: 9, held: 4, allowed: 2 }).allowedAlone).toBe(4);
  expect(leaseOf({ wanted: 9, held: 0, allowed: 0 }).allowedAlone).toBe(1);
  expect(leaseOf({ wanted: 9, held: 14, allowed: 2 }).allowedAlone).toBe(10);
});
