/**
 * The runs of one destination, and whose turn it is: the most urgent class first; within it tenants in turn, so that a newcomer does not stand behind all that
 * its neighbours have waiting; of one tenant the oldest run, so that few of its chunks are on the wire at a time.
 */
import { LRUCache } from 'lru-cache';
import type { GrantRun } from './grant-run.ts';

export class RunQueue implements Iterable<GrantRun> {
  #runs: GrantRun[] = [];
  /** When each tenant was served last; one that isn't there goes first. */
  readonly #turns = new LRUCache<number, number>({ max: 10_000 });
  #turn = 0;

  [Symbol.iterator](): Iterator<GrantRun> {
    return this.#runs[Symbol.iterator]();
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Messages that wait in all of them. */
  get waiting(): number {
    return this.#runs.reduce((sum, run) => sum + run.waiting, 0);
  }

  add(run: GrantRun): void {
    this.#runs.push(run);
  }

  remove(run: GrantRun): void {
    this.#runs = this.#runs.filter((other) => other !== run);
  }

  /** The run to be served now; its tenant's next turn comes after all the others'. */
  next(now: number): GrantRun | undefined {
    let next: GrantRun | undefined;
    for (const run of this.#runs) if (run.isReady(now) && this.#isBefore(run, next)) next = run;
    if (next) this.#turns.set(next.grant.tenantId, ++this.#turn);
    return next;
  }

  #isBefore(run: GrantRun, other: GrantRun | undefined): boolean {
    if (!other || run.class !== other.class) return !other || run.class < other.class;
    return this.#lastTurn(run) < this.#lastTurn(other);
  }

  #lastTurn({ grant }: GrantRun): number {
    return this.#turns.peek(grant.tenantId) ?? 0;
  }
}
