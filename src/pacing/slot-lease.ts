/** What one process wants and holds at a destination, and what the fleet last allowed it. Pure. */

/** See `SlotsAsk`; here there is a cap. */
interface Wants {
  readonly cap: number;
  readonly wanted: number;
  readonly held: number;
}

export class SlotLease {
  #cap: number;
  /** The most that was wanted since the last renewal, and what is now: asks that go up and down cost no calls. */
  #wanted = 0;
  #wantedNow = 0;
  #held = 0;
  /** The fleet's last answer. */
  #allowed = 0;
  /** What was wanted when it was last asked: asking again for no more would spin. */
  #askedFor = 0;
  /** Redis was told that it is over; forgotten before, it would count for ten more seconds. */
  #isToldOver = false;

  constructor(cap: number) {
    this.#cap = cap;
  }

  /** Says whether the fleet is to be asked at once: more is wanted, or what was to be given up has been closed. */
  want({ cap, wanted, held }: Wants): boolean {
    const isGivingUp = held < this.#held && this.#held > this.#allowed;
    this.#cap = cap;
    this.#wanted = Math.max(wanted, this.#wanted);
    this.#wantedNow = wanted;
    this.#held = held;
    return isGivingUp || wanted > Math.max(this.#allowed, this.#askedFor);
  }

  end(): void {
    this.#wanted = 0;
    this.#wantedNow = 0;
    this.#held = 0;
  }

  /** What Redis is now told: cap, wanted, held. */
  ask(): readonly number[] {
    this.#askedFor = this.#wanted;
    this.#isToldOver = this.#isOver;
    return [this.#cap, this.#wanted, this.#held];
  }

  /** Says whether the fleet is to be asked at once for more: it was wanted while the answer was on its way. */
  answer(allowed: number): boolean {
    this.#allowed = allowed;
    return this.#wanted > Math.max(this.#askedFor, allowed);
  }

  renew(): void {
    this.#wanted = this.#wantedNow;
  }

  /** Redis has heard that it is over, and nothing was wanted since. */
  get isForgotten(): boolean {
    return this.#isToldOver && this.#isOver;
  }

  get allowed(): number {
    return this.#allowed;
  }

  /** With Redis away: what is held, and a first. */
  get allowedAlone(): number {
    return Math.min(this.#cap, Math.max(this.#held, 1));
  }

  get #isOver(): boolean {
    return this.#wanted === 0 && this.#held === 0;
  }
}
