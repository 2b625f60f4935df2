import { Context } from 'liquidjs';

/**
 * LiquidJS looks at the clock between nodes. A filter that looks into each item of an array is one step to it, of two million evaluations; each of them
 * asks the context for something, and is stopped here.
 */
export class WatchedContext extends Context {
  /** An item in whose properties a filter looks (`where`, `find`, `group_by`). */
  override spawn(scope?: object): Context {
    this.#watch();
    return super.spawn(scope);
  }

  /** An item over which a filter evaluates an expression (`where_exp`, `find_exp`). */
  override push(scope: object): number {
    this.#watch();
    return super.push(scope);
  }

  /** An item's property that a filter reads (`map`, `sort`, `sum`). */
  override _getFromScope(
    ...args: Parameters<Context['_getFromScope']>
  ): ReturnType<Context['_getFromScope']> {
    this.#watch();
    return super._getFromScope(...args);
  }

  #watch(): void {
    this.renderLimit.check(performance.now());
  }
}
