/**
 * A parsed Liquid template, and the one way to evaluate it. LiquidJS parses and evaluates; what is ours is where the
 * static text goes (static-nodes.ts) and where the output goes (the emitter).
 */
import { type Emitter, type Liquid, LiquidError, type Template, toValueSync } from 'liquidjs';
import { evaluateDirectly } from './direct-values.ts';
import { WatchedContext } from './watched-context.ts';

export interface ParsedTemplate {
  readonly engine: Liquid;
  readonly nodes: Template[];
}

export interface SyntaxProblem {
  readonly line?: number;
  readonly column?: number;
  readonly detail: string;
}

export type ParseResult =
  | { readonly kind: 'parsed'; readonly template: ParsedTemplate }
  | { readonly kind: 'invalid'; readonly problem: SyntaxProblem };

export function parseTemplate(engine: Liquid, source: string): ParseResult {
  try {
    const nodes = engine.parse(source);
    evaluateDirectly(nodes);
    return { kind: 'parsed', template: { engine, nodes } };
  } catch (error) {
    return { kind: 'invalid', problem: toProblem(error) };
  }
}

/** What a template sees: `variables` may be changed by it (`increment`), so they are fresh; globals are shared. */
export interface Scope {
  readonly variables: object;
  readonly globals: object;
}

/** Writes the output to the emitter. Throws what the template throws, and on its limits. */
export function evaluateTemplate(template: ParsedTemplate, scope: Scope, emitter: Emitter): void {
  const { engine, nodes } = template;
  const renderOptions = { sync: true, globals: scope.globals };
  const ctx = new WatchedContext(scope.variables, engine.options, renderOptions, { liquid: engine });
  toValueSync(engine.renderer.renderTemplates(nodes, ctx, emitter));
}

function toProblem(error: unknown): SyntaxProblem {
  const isTooDeep = /^Maximum call stack/.test(error instanceof Error ? error.message : '');
  if (!LiquidError.is(error)) return { detail: isTooDeep ? nestedTooDeeply : String(error) };
  const [line, column] = error.token.getPosition() as [number, number];
  return {
    line,
    column,
    detail: isTooDeep ? nestedTooDeeply : error.message.replace(/, line:\d+, col:\d+$/, ''),
  };
}

const nestedTooDeeply = 'nested too deeply';
