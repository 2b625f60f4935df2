/**
 * Where keys lie that are used together. On one Redis that is anywhere. On a cluster a script or pipeline may touch one slot only, so such keys begin
 * with the same hash tag, `{…}`, and what may be apart gets another: a home.
 *
 * How many homes there are never changes, and hangs on no configuration: two workers that looked for a destination's connections in two
 * places would open twice as many. On one Redis there is one home, the plain prefix.
 */
import keySlot from 'cluster-key-slot';
import type { RedisClient } from './redis.ts';

const slots = 16_384;
/** More nodes than that are no use to one database. */
export const homes = 27;
/** How near its place a tag's slot must be: a hundred tries on average. */
const near = 160;

/** The beginning of all keys about `name`: those of one name lie in one slot. */
export function homeOf(redis: Pick<RedisClient, 'isCluster'>, prefix: string, name: string | number): string {
  return redis.isCluster ? spreadTag(`${prefix}:home`, keySlot(String(name)) % homes) : prefix;
}

const known = new Map<string, string>();

/**
 * A hash tag for the n-th of some names, so that they are spread evenly over the slots, and so over nodes that have equal parts of them: the first
 * three lie a third of all slots apart, the first nine a ninth, the first 27 a 27th. Left to chance, three of a name are on three nodes one time in five.
 */
export function spreadTag(name: string, n: number): string {
  const key = `${name}-${n}`;
  const tag = known.get(key) ?? findTag(key, Math.floor(placeOf(n) * slots));
  known.set(key, tag);
  return tag;
}

/**
 * Tags a third and two thirds of all slots away from where `key` lies: on a cluster of three equal masters or more, other nodes than its own, and not the
 * same for both.
 */
export function tagsAwayFrom(prefix: string, key: string): readonly string[] {
  const place = Math.floor((keySlot(key) * homes) / slots);
  return [homes / 3, (2 * homes) / 3].map((thirds) => spreadTag(`${prefix}:home`, homeAt(place + thirds)));
}

/** Which home lies at the n-th place of them: the sequence below is its own inverse. */
function homeAt(n: number): number {
  return Math.round(placeOf(n % homes) * homes);
}

/** Van der Corput's sequence in base 3: 0, 1/3, 2/3, 1/9, 4/9, 7/9, … */
function placeOf(n: number): number {
  let place = 0;
  for (let rest = n, part = 1 / 3; rest > 0; rest = Math.floor(rest / 3), part /= 3)
    place += (rest % 3) * part;
  return place;
}

/** A few slots after its place, which itself may still be the last of a node's. */
function findTag(name: string, place: number): string {
  for (let i = 0; ; i++) {
    const tag = `{${name}-${i}}`;
    const distance = keySlot(tag) - place;
    if (distance > 0 && distance <= near) return tag;
  }
}
