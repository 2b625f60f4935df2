/** How fast a campaign moves, from looks at its progress: recipients settled over the last seconds. No clock of its own. */

export interface Look {
  readonly atMs: number;
  readonly settled: number;
}

const windowMs = 10_000;
/** Looks closer together than this replace one another, so that many callers don't fill the window. */
const spacingMs = 500;

export class ProgressRate {
  #looks: readonly Look[] = [];

  /** Adds a look and answers the rate over the window, recipients a second; null until two looks lie far enough apart. */
  add(look: Look): number | null {
    const recent = this.#looks.filter(({ atMs }) => look.atMs - atMs <= windowMs);
    const [first] = recent;
    const previous = recent.at(-2);
    const isCrowded = previous !== undefined && look.atMs - previous.atMs < spacingMs;
    this.#looks = [...(isCrowded ? recent.slice(0, -1) : recent), look];
    if (!first || look.atMs - first.atMs < spacingMs) return null;
    return (1000 * (look.settled - first.settled)) / (look.atMs - first.atMs);
  }
}
