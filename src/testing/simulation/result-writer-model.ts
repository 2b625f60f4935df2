/** result-writer.ts: results leave in groups, and what can't be written is tried until it is. */
import type { Result } from '../../ledger/outcome.ts';
import type { GrantRun } from '../../send/grant-run.ts';
import { mostUnwrittenGroups } from './invariants.ts';
import { callLedger, ledgerFailure } from './ledger-call.ts';
import type { SendState } from './send-state.ts';
import type { Task } from './virtual-time.ts';
import { chunkOf, recordResults } from './worker-statements.ts';

const flushAfterMs = 8;
const retryMs = 500;

export class ResultWriterModel {
  readonly #state: SendState;
  readonly #fill: () => void;
  readonly #gathered = new Map<GrantRun, Result[]>();

  /** `fill` is called whenever there is room again. */
  constructor(state: SendState, fill: () => void) {
    this.#state = state;
    this.#fill = fill;
  }

  get hasRoom(): boolean {
    return this.#state.unwritten < mostUnwrittenGroups * this.#state.world.schedule.group;
  }

  write(run: GrantRun, result: Result): void {
    const { world, host } = this.#state;
    this.#state.unwritten++;
    const results = this.#gathered.get(run);
    if (!results) {
      this.#gathered.set(run, [result]);
      world.time.spawn(host, this.#flush(run), flushAfterMs);
      return;
    }
    results.push(result);
    if (results.length >= world.schedule.group) world.time.spawn(host, this.#flush(run));
  }

  *#flush(run: GrantRun): Task {
    const results = this.#gathered.get(run);
    if (!results) return;
    this.#gathered.delete(run);
    yield* this.#writeUntilDone(run, results);
    this.#state.unwritten -= results.length;
    this.#state.close(run, results.length);
    this.#fill();
  }

  *#writeUntilDone(run: GrantRun, results: readonly Result[]): Task {
    const { world } = this.#state;
    const { tables, rules, time } = world;
    const chunk = chunkOf(tables, run.grant);
    for (;;) {
      try {
        yield* callLedger(world, () => recordResults(chunk, run.grant, results, time.now, rules));
        return;
      } catch (error) {
        if (error !== ledgerFailure) throw error;
        if (!rules.protections.outcomeRepeated) return;
        yield retryMs;
      }
    }
  }
}
