/** How long to leave a destination alone that can't be reached and that no leader watches: doubling, half of it jitter, until it answers. Pure but for its own count. */
export interface ConnectBackoff {
  /** One more failure: hold everything for this long, ms. */
  failed(random: number): number;
  succeeded(): void;
}

const longestMs = 600_000;

export function createConnectBackoff(firstMs: number): ConnectBackoff {
  let failures = 0;

  return {
    failed(random) {
      const ceiling = Math.min(firstMs * 2 ** failures, longestMs);
      failures++;
      return Math.round(ceiling * (0.5 + random / 2));
    },
    succeeded() {
      failures = 0;
    },
  };
}
