/** What an experiment sets of the workers' configuration; the rest is as in production. */
export interface FleetSettings {
  readonly leaseMs: number;
  readonly settleAfterMs: number;
  readonly more?: Readonly<Record<string, string>>;
}

/** Short terms, so that dozens of takeovers fit into minutes. Their proportions are production's. */
export const shortLease: FleetSettings = { leaseMs: 2_500, settleAfterMs: 3_000 };

/** Production's lease: for what must recover without waiting for one, and for what must leave no doubt on a slow machine. */
export const longLease: FleetSettings = { leaseMs: 30_000, settleAfterMs: 60_000 };

export function toEnvironment({ leaseMs, settleAfterMs, more }: FleetSettings): Record<string, string> {
  return {
    LEASE_MS: String(leaseMs),
    IN_DOUBT_SETTLE_AFTER_MS: String(settleAfterMs),
    RETRY_FIRST_DELAY_MS: '300',
    RETRY_STEP_MS: '100',
    STOP_TIMEOUT_MS: '15000',
    HEALTH_PORT: '0',
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: 'info',
    ...more,
  };
}
