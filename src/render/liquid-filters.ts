/** The filters that LiquidJS leaves open to the machine's clock, or to make much from little. */
import { type Context, defaultOperators, type FilterImplOptions, filters } from 'liquidjs';
import { RenderFailure } from './render-failure.ts';
import { toText } from './text-emitter.ts';

/** For `renderOptions.globals`: what the templates' `now` and the date filters' "now" mean. */
export interface Globals {
  readonly now: string;
}

export type FilterHandler = Extract<FilterImplOptions, (...args: never[]) => unknown>;

export const dateFilters = [
  'date',
  'date_to_xmlschema',
  'date_to_rfc822',
  'date_to_string',
  'date_to_long_string',
];

/** LiquidJS reads the machine's clock for "now" and "today". */
export function withGivenNow(handler: FilterHandler): FilterHandler {
  return function (value, ...args) {
    const isNow = value === 'now' || value === 'today';
    return handler.call(this, isNow ? (this.context.globals as unknown as Globals).now : value, ...args);
  };
}

/** Those whose result can hold an array twice, inside another: thirty turns of a loop and printing it never ends. */
export const growingFilters = ['push', 'unshift', 'concat', 'map'];

export function withChargedNesting(handler: FilterHandler): FilterHandler {
  return function* (...args) {
    const result: unknown = yield handler.apply(this, args);
    chargeNested(this.context, result);
    return result;
  };
}

function chargeNested(ctx: Context, value: unknown): void {
  if (!Array.isArray(value)) return;
  for (const item of value) {
    ctx.memoryLimit.use(typeof item === 'string' ? item.length + 1 : 1);
    chargeNested(ctx, item);
  }
}

/** Those that look for a text in a text: where the two are long and alike, V8 compares nearly all of the one at each place of the other. */
export const searchFilters = [
  'split',
  'replace',
  'replace_first',
  'replace_last',
  'remove',
  'remove_first',
  'remove_last',
];

export function withBoundedSearch(handler: FilterHandler): FilterHandler {
  return function (value, ...args) {
    assertShortSearch(value, args[0]);
    return handler.call(this, value, ...args);
  };
}

export const operators: typeof defaultOperators = {
  ...defaultOperators,
  contains(value: unknown, part: unknown) {
    if (typeof value === 'string') assertShortSearch(value, part);
    return (defaultOperators.contains as (value: unknown, part: unknown) => boolean)(value, part);
  },
};

function assertShortSearch(value: unknown, part: unknown): void {
  if (toText(value).length * toText(part).length > mostComparisons)
    throw new RenderFailure('render_limit', 'a search for a long text in a long text');
}

/** A tenth of a second. */
const mostComparisons = 1e8;

/** One output may hold tens of thousands of filters, and not all of them count what they make. */
export function withClock(handler: FilterHandler): FilterHandler {
  return function (...args) {
    this.context.renderLimit.check(performance.now());
    return handler.apply(this, args);
  };
}

export function filterNamed(name: string): FilterHandler {
  return (filters as Record<string, FilterHandler>)[name] as FilterHandler;
}
