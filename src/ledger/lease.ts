/**
 * The term of a lease on a chunk: counted by the database's clock, trusted by the worker's monotonic one.
 *
 * All processes of an installation must have the same one: a worker that counts on more than the database was told goes on sending
 * after others took its chunk.
 */
export interface LeaseTerms {
  readonly leaseMs: number;
  /** Two renewals may fail before trust ends. */
  readonly renewEveryMs: number;
  /** A worker stops trusting its lease this long before the database does: no clock runs that far apart in one term. */
  readonly marginMs: number;
}

export const defaultLeaseMs = 30_000;

export function leaseTermsOf(leaseMs: number): LeaseTerms {
  return { leaseMs, renewEveryMs: Math.floor(leaseMs / 3), marginMs: Math.ceil(leaseMs / 10) };
}

/** The SQL for the end of a lease that begins now. */
export function leaseEnd(leaseMs: number): string {
  return `NOW(3) + INTERVAL ${Math.round(leaseMs * 1000)} MICROSECOND`;
}
