/** Each mechanism, taken out of a copy of the build: so that production's code carries no switches for tests. */
import type { Edit } from '../faults/mutant.ts';

/** The tenant of the smallest number takes all that there is room for, nothing is kept for newcomers, and workers send in the order of arrival. */
export const withoutTurns: readonly Edit[] = [
  {
    file: 'src/dispatch/window-room.js',
    find: 'const partForNewcomers = 1 / 8;',
    replace: 'const partForNewcomers = 0;',
  },
  {
    file: 'src/send/run-queue.js',
    find: 'return this.#lastTurn(run) < this.#lastTurn(other);',
    replace: 'return false;',
  },
  {
    file: 'src/dispatch/lane-turns.js',
    find: 'return Math.min(largestQuantum, Math.max(smallestQuantum, part));',
    replace: 'return Math.max(part, 1_000_000);',
  },
  {
    file: 'src/dispatch/lane-turns.js',
    find: 'a.mark - b.mark ||',
    replace: '',
  },
  {
    file: 'src/dispatch/tenant-allowances.js',
    find: 'return Math.max(0, Math.floor(this.#largest - (this.#held.get(tenantId) ?? 0)));',
    replace: 'return Number.POSITIVE_INFINITY;',
  },
];

/** One set of connections for all destinations of a transport. */
export const withoutOwnSenders: readonly Edit[] = [
  {
    file: 'src/send/sender-pool.js',
    find: 'const { destinationId, transportId } = place;',
    replace: 'const { transportId } = place; const destinationId = transportId;',
  },
  {
    file: 'src/send/sender-pool.js',
    find: 'const { destinationId } = place;',
    replace: 'const destinationId = place.transportId;',
  },
];

export const withoutLearningRates: readonly Edit[] = [
  { file: 'src/pacing/learn-rate.js', find: 'return cut(rate, evidence);', replace: 'return undefined;' },
];

/** Each worker keeps the whole rate by itself. */
export const withoutSharedRates: readonly Edit[] = [
  {
    file: 'src/pacing/home-rate-gate.js',
    find: 'createLocalBuckets(workers)',
    replace: 'createLocalBuckets(() => 1)',
  },
  { file: 'src/pacing/home-rate-gate.js', find: 'local.clear();', replace: '' },
  {
    file: 'src/pacing/home-rate-gate.js',
    find: 'return await takeShared(buckets, wanted);',
    replace: 'return local.take(buckets, wanted, clock.monotonic());',
  },
];

/** Retries come first, and each worker opens as many connections as it likes. */
export const withoutRetryShareAndSlots: readonly Edit[] = [
  { file: 'src/pacing/connection-slots.js', find: 'if (cap === undefined) {', replace: 'if (true) {' },
  {
    file: 'src/dispatch/plan-grants.js',
    find: 'isWorthIt ? Math.floor(credit) : 0',
    replace: 'messages',
  },
];

/** A window keeps nothing for transactional mail, and it waits behind what was there before. */
export const withoutClasses: readonly Edit[] = [
  { file: 'src/dispatch/window-room.js', find: 'const partKept = 1 / 8;', replace: 'const partKept = 0;' },
  { file: 'src/dispatch/window-room.js', find: 'const fewMessages = 4;', replace: 'const fewMessages = 0;' },
  {
    file: 'src/send/run-queue.js',
    find: 'return !other || run.class < other.class;',
    replace: 'return !other;',
  },
];
