/**
 * Messages that their couriers have announced to the other side while the one before was still under way: each is that courier's, and nobody
 * else's. They count as ready, not as on the wire: no byte of them leaves before they are handed over.
 */
import type { Courier } from '../transports/contract.ts';
import type { Outgoing } from './outgoing.ts';

export class Announcements {
  readonly #announced = new Map<Courier, Outgoing | 'retracted'>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(courier: Courier, outgoing: Outgoing): void {
    this.#announced.set(courier, outgoing);
    this.#length++;
  }

  /** What this courier has to hand over now. `retracted`: what it announced must not start, so its connection is of no more use. */
  take(courier: Courier): Outgoing | 'retracted' | undefined {
    const announced = this.#announced.get(courier);
    this.#announced.delete(courier);
    if (announced && announced !== 'retracted') this.#length--;
    return announced;
  }

  /** Takes out those that are not to start; their couriers learn it when they come for them. */
  retract(isMeant: (outgoing: Outgoing) => boolean): readonly Outgoing[] {
    const retracted: Outgoing[] = [];
    for (const [courier, outgoing] of this.#announced) {
      if (outgoing === 'retracted' || !isMeant(outgoing)) continue;
      this.#announced.set(courier, 'retracted');
      this.#length--;
      retracted.push(outgoing);
    }
    return retracted;
  }
}
