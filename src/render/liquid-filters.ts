/** The filters that LiquidJS leaves open to the machine's clock, or to make much from little. */
import { type Context, type FilterImplOptions, filters } from 'liquidjs';

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

export function filterNamed(name: string): FilterHandler {
  return (filters as Record<string, FilterHandler>)[name] as FilterHandler;
}
