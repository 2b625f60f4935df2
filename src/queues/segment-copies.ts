/**
 * The segments of campaigns' messages: the same bytes for all grants of a campaign, so on a cluster one node that is away would stop whole campaigns.
 *
 * They have one place, and on a cluster two others, a third of the slots away from it: those are used while the first can't be reached, so that there is one
 * copy as long as all goes well. An older release knows the first place only, which has the name it always had: what it can't find is rendered anew.
 */
import { LRUCache } from 'lru-cache';
import type { RedisClient } from '../platform/redis.ts';
import { tagsAwayFrom } from '../platform/redis-homes.ts';
import { payloadVersion } from '../render/payload.ts';

const ttlSeconds = 900;
/** A place that failed is not asked again for so long: each try costs half a second. */
const passedOverMs = 10_000;
const mostRemembered = 1_000;

export class SegmentCopies {
  readonly #redis: RedisClient;
  readonly #prefix: string;
  /** Where those whose first place failed were found or put instead. */
  readonly #movedTo = new LRUCache<string, number>({ max: mostRemembered, ttl: passedOverMs });

  constructor(redis: RedisClient, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Puts them there, or keeps them there for longer. Rejects when no place of theirs can be reached. */
  async keep(digest: string, bytes: Buffer): Promise<void> {
    await this.#anywhere(digest, async (key) => {
      const wasThere = await this.#redis.expire(key, ttlSeconds);
      return wasThere === 1 || (await this.#redis.set(key, bytes, 'EX', ttlSeconds));
    });
  }

  /** Null where there are none (any more); rejects when none were found and a place of theirs could not be asked. */
  get(digest: string): Promise<Buffer | null> {
    return this.#anywhere(digest, (key) => this.#redis.getBuffer(key));
  }

  /** What the first place answers that can be reached and has something to say. */
  async #anywhere<T>(digest: string, ask: (key: string) => Promise<T | null>): Promise<T | null> {
    const places = this.#placesOf(digest);
    const start = this.#movedTo.get(digest) ?? 0;
    const failures: unknown[] = [];
    for (let i = 0; i < places.length; i++) {
      const place = (start + i) % places.length;
      try {
        const answer = await ask(places[place] as string);
        if (answer === null) continue;
        if (failures.length > 0) this.#movedTo.set(digest, place);
        return answer;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return null;
  }

  /** The version is in the name: two releases that write them differently would each find them there and not readable, for as long as both render. */
  #placesOf(digest: string): readonly string[] {
    const name = `${this.#prefix}:segments:${payloadVersion}:${digest}`;
    if (!this.#redis.isCluster) return [name];
    return [name, ...tagsAwayFrom(this.#prefix, name).map((tag) => `${tag}:${name}`)];
  }
}
