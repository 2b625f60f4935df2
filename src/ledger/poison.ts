/**
 * Poison: a message that kills whoever works on it. Crashes are counted on the chunk; two takeovers halve its grants, and each further one
 * halves them again, until the message stands alone and is skipped. Pure.
 *
 * A crash tells nothing about the half that went well, so progress keeps the size: finding one message among 500 takes about
 * eleven crashes, and the rest of the chunk goes out meanwhile.
 */
const crashesBeforeHalving = 2;
/**
 * A chunk of few messages is down to one at once, and may have died beside another's poison: it is tried twice more, while the waits
 * between its tries grow (`staggerMs`).
 */
const leastCrashes = 4;
/** Fits a TINYINT, and is far beyond what halving needs. */
const mostCrashes = 100;

/** Most messages of one grant of the chunk. */
export function largestGrantOf({
  size,
  crashes,
}: {
  readonly size: number;
  readonly crashes: number;
}): number {
  return Math.max(1, size >> halvings(crashes));
}

/** Even alone it was fatal: the next message of the chunk is the poison. */
export function isPoisoned({ size, crashes }: { readonly size: number; readonly crashes: number }): boolean {
  return crashes >= leastCrashes && size >> halvings(crashes) === 0;
}

/** How long a suspect waits before its next try, ms: chunks that died together must not be tried together again. */
export function staggerMs(crashes: number, random: number): number {
  return Math.round(Math.min(crashes, 5) * 1_000 * random);
}

export function afterCrash(crashes: number): number {
  return Math.min(crashes + 1, mostCrashes);
}

/** A single crash is nobody's fault once work has gone on; what is being searched for is still in there. */
export function afterProgress(crashes: number): number {
  return crashes < crashesBeforeHalving ? 0 : crashes;
}

function halvings(crashes: number): number {
  return Math.max(0, crashes - crashesBeforeHalving + 1);
}
