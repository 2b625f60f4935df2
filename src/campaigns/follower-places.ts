/** Places for those who follow progress live: so many in this process, and not all of them for one tenant. */
import { AppError } from '../errors.ts';
import type { TenantId } from '../ids.ts';

export class FollowerPlaces {
  readonly #taken = new Map<TenantId, number>();
  readonly #most: number;
  readonly #mostPerTenant: number;
  #all = 0;

  constructor(most: number, mostPerTenant: number) {
    this.#most = most;
    this.#mostPerTenant = mostPerTenant;
  }

  /** Throws `rate_limited` unless there is a place for one more of this tenant's. */
  assertFree(tenantId: TenantId): void {
    const isFull = this.#ownOf(tenantId) >= this.#mostPerTenant;
    if (this.#all < this.#most && !isFull) return;
    throw new AppError('rate_limited', {
      detail: `At most ${isFull ? this.#mostPerTenant : this.#most} streams are open at a time`,
      retryAfterSeconds: 10,
    });
  }

  take(tenantId: TenantId): void {
    this.assertFree(tenantId);
    this.#taken.set(tenantId, this.#ownOf(tenantId) + 1);
    this.#all++;
  }

  leave(tenantId: TenantId): void {
    const own = this.#ownOf(tenantId) - 1;
    if (own > 0) this.#taken.set(tenantId, own);
    else this.#taken.delete(tenantId);
    this.#all--;
  }

  #ownOf(tenantId: TenantId): number {
    return this.#taken.get(tenantId) ?? 0;
  }
}
