/**
 * LiquidJS, closed and bounded: no files, no other templates, no clock, no chance, and no way to make much from little.
 */
import { Liquid } from 'liquidjs';
import { DirectRenderer } from './direct-renderer.ts';
import { limits } from './limits.ts';
import {
  dateFilters,
  type FilterHandler,
  filterNamed,
  growingFilters,
  operators,
  searchFilters,
  withBoundedSearch,
  withChargedNesting,
  withClock,
  withGivenNow,
} from './liquid-filters.ts';
import './liquid-ranges.ts';
import { BoundedCaptureTag, ForbiddenTag } from './liquid-tags.ts';

/** Outputs are HTML-escaped unless the template says `| raw`. */
export const htmlEngine = createEngine({ escapesOutputs: true });
export const textEngine = createEngine({ escapesOutputs: false });

function createEngine(options: { readonly escapesOutputs: boolean }): Liquid {
  const engine = new Liquid({
    templates: {},
    ...(options.escapesOutputs ? { outputEscape: 'escape' as const } : {}),
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: false,
    parseLimit: limits.htmlLength * 2,
    renderLimit: limits.renderMs,
    memoryLimit: limits.renderMemory,
    operators,
    // The same mail on every machine, whatever its TZ and LANG.
    timezoneOffset: 0,
    locale: 'en-US',
  });
  for (const name of ['include', 'render', 'layout', 'block']) engine.registerTag(name, ForbiddenTag);
  engine.registerTag('capture', BoundedCaptureTag);
  for (const name of dateFilters) engine.registerFilter(name, withGivenNow(filterNamed(name)));
  for (const name of growingFilters) engine.registerFilter(name, withChargedNesting(filterNamed(name)));
  for (const name of searchFilters) engine.registerFilter(name, withBoundedSearch(filterNamed(name)));
  for (const [name, filter] of Object.entries(engine.filters))
    if (typeof filter === 'function') engine.registerFilter(name, withClock(filter as FilterHandler));
  // A retried message must be the message that was tried.
  engine.unregisterFilter('sample');
  return Object.assign(engine, { renderer: new DirectRenderer() });
}
