/** What is left of the day's quotas, as of the last look: most messages that each destination may have outstanding. */
import type { Sql } from '../platform/mysql.ts';
import { hasDayQuota, quotasOf } from '../transports/destination-limits.ts';
import { readDayAttempts, type StoredDestination } from './destination-store.ts';
import { shareQuotas } from './share-quotas.ts';

export class QuotasLeft {
  readonly #db: Sql;
  #perDay: ReadonlyMap<number, number> = new Map();
  /** Of the database. */
  #day = '';
  /** Asked for since the last look: those that have something to send share a transport's quota. */
  readonly #active = new Set<number>();

  constructor(db: Sql) {
    this.#db = db;
  }

  /** Undefined: no quota holds for it today. */
  of(destination: StoredDestination): number | undefined {
    this.#active.add(destination.id);
    return this.#perDay.get(destination.id) ?? (this.#isLimited(destination) ? 0 : undefined);
  }

  /** Beside what each has outstanding. No statement when none of `known` has a quota. */
  async look(known: readonly StoredDestination[], outstanding: ReadonlyMap<number, number>): Promise<void> {
    const counted = known.filter(({ limits }) => hasDayQuota(limits));
    if (counted.length === 0) return;
    const { day, attempts } = await readDayAttempts(this.#db, [
      ...new Set(counted.map((one) => one.transportId)),
    ]);
    this.#day = day;
    const users = counted
      .filter(({ id }) => this.#active.has(id) || outstanding.has(id))
      .map((one) => ({ ...one, outstanding: outstanding.get(one.id) ?? 0, quotas: this.#quotasToday(one) }));
    this.#perDay = shareQuotas(users, attempts);
    this.#active.clear();
  }

  /** Today, that is: a warm-up may be over, and a single destination's quota is another's business. */
  #isLimited(destination: StoredDestination): boolean {
    const { destination: own, transport } = this.#quotasToday(destination);
    return this.#day === '' || own !== undefined || transport !== undefined;
  }

  #quotasToday({ limits, mode, name }: StoredDestination) {
    return quotasOf(limits, mode, name, this.#day);
  }
}
