/** What a worker has not reported yet, by destination. */
import { encodeReports } from './report-coding.ts';
import { Tally } from './tally.ts';
import type { WatchedDestinations } from './watched-destinations.ts';

const mostReportsPerLine = 500;

export class PendingReports {
  readonly #tallies = new Map<number, Tally>();

  of(destinationId: number): Tally {
    const found = this.#tallies.get(destinationId);
    if (found) return found;
    const made = new Tally();
    this.#tallies.set(destinationId, made);
    return made;
  }

  /** What could not be reported is reported next time. */
  addEarlier(earlier: PendingReports): void {
    for (const [id, tally] of earlier.#tallies) this.of(id).addEarlier(tally);
  }

  clear(): void {
    this.#tallies.clear();
  }

  /** Of those `alsoOf` what is held is said, though nothing happened. */
  lines(owner: string, watched: WatchedDestinations, alsoOf: readonly number[]): readonly string[] {
    const ids = [...new Set([...this.#tallies.keys(), ...alsoOf])];
    const reports = ids.map((id) => (this.#tallies.get(id) ?? new Tally()).report(id, watched.heldOf(id)));
    const lines: string[] = [];
    for (let i = 0; i < reports.length; i += mostReportsPerLine) {
      lines.push(encodeReports({ owner, reports: reports.slice(i, i + mostReportsPerLine) }));
    }
    return lines;
  }
}
