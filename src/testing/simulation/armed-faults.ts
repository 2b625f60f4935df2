/** The faults of a schedule, armed one after another as steps go by; each strikes at the next occasion of its kind. */
import type { Fault } from './schedule.ts';

type FaultOf<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export class ArmedFaults {
  readonly #coming: Fault[];
  readonly #armed: Fault[] = [];

  constructor(faults: readonly Fault[]) {
    this.#coming = [...faults].sort((a, b) => b.at - a.at);
  }

  get isSpent(): boolean {
    return this.#coming.length === 0 && this.#armed.length === 0;
  }

  arm(step: number): void {
    for (let next = this.#coming.at(-1); next && next.at <= step; next = this.#coming.at(-1)) {
      this.#armed.push(next);
      this.#coming.pop();
    }
  }

  take<K extends Fault['kind']>(kind: K): FaultOf<K> | undefined {
    if (this.#armed.length === 0) return undefined;
    const at = this.#armed.findIndex((fault) => fault.kind === kind);
    return at < 0 ? undefined : (this.#armed.splice(at, 1)[0] as FaultOf<K>);
  }
}
