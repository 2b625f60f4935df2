import type { ProxiedRequest, ProxyAction, ProxyRule } from './proxy-rule.ts';

/** A rule at work. */
export interface ActiveRule {
  readonly action: ProxyAction;
  readonly hits: number;
  /** Resolves when it has acted so often. */
  waitForHit(timeoutMs: number, hits?: number): Promise<void>;
  /** What it holds goes on. */
  release(): void;
}

/** The rules of one proxy and what they count. */
export class ProxyRules {
  #rules: CountingRule[] = [];

  add(rule: ProxyRule): ActiveRule {
    const counting = new CountingRule(rule);
    this.#rules.push(counting);
    return counting;
  }

  decide(request: ProxiedRequest): CountingRule | undefined {
    return this.#rules.find((rule) => rule.decide(request));
  }

  clear(): void {
    for (const rule of this.#rules) rule.release();
    this.#rules = [];
  }
}

export class CountingRule implements ActiveRule {
  readonly #rule: ProxyRule;
  #matched = 0;
  #hits = 0;
  #held: (() => void)[] = [];
  #waiting: { hits: number; resolve: () => void }[] = [];

  constructor(rule: ProxyRule) {
    this.#rule = rule;
  }

  get action(): ProxyAction {
    return this.#rule.action;
  }

  get hits(): number {
    return this.#hits;
  }

  decide(request: ProxiedRequest): boolean {
    if (!this.#rule.matches(request)) return false;
    const { nth = 1, everyNth } = this.#rule;
    const past = ++this.#matched - nth;
    const acts = past === 0 || (everyNth !== undefined && past > 0 && past % everyNth === 0);
    if (acts) this.#count();
    return acts;
  }

  hold(goOn: () => void): void {
    this.#held.push(goOn);
  }

  release(): void {
    for (const goOn of this.#held.splice(0)) goOn();
  }

  waitForHit(timeoutMs: number, hits = 1): Promise<void> {
    if (this.#hits >= hits) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(`the edge was not reached: ${this.#hits} of ${hits} hits, ${this.#matched} like it`),
          ),
        timeoutMs,
      );
      this.#waiting.push({
        hits,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
    });
  }

  #count(): void {
    this.#hits++;
    for (const waiting of this.#waiting) if (this.#hits >= waiting.hits) waiting.resolve();
  }
}
