/**
 * Values of parsed templates, evaluated without LiquidJS's generators. Everything that decides what a value is stays
 * LiquidJS's own: its tokens, its scopes and property lookup (`Context`), its operators and its filters. Only the walk
 * from one to the next is ours; what it doesn't know (ranges, computed keys) it leaves to `evalToken`. The tests compare
 * whole messages with plain LiquidJS.
 */
import {
  type Context,
  type Emitter,
  evalToken,
  type Liquid,
  type Template,
  type Token,
  TokenKind,
  toValue,
  toValueSync,
} from 'liquidjs';
import { type BlockTag, childLists } from './block-tags.ts';

/** In place: outputs and the values of conditions and assignments. */
export function evaluateDirectly(nodes: Template[]): void {
  for (const [i, node] of nodes.entries()) {
    const tag = node as ValueTag;
    if (node.token.kind === TokenKind.Output) nodes[i] = new DirectOutput(node as ValueTag);
    else if (tag.name && tagsWithValue.has(tag.name) && tag.value) tag.value = new DirectValue(tag.value);
    for (const branch of tag.branches ?? []) if (branch.value) branch.value = new DirectValue(branch.value);
    for (const children of childLists(node)) evaluateDirectly(children);
  }
}

/** Not `echo`, which looks into its value for `raw`. */
const tagsWithValue = new Set(['assign', 'case']);

interface ValueTag extends BlockTag {
  value?: LiquidValue;
  readonly branches?: readonly { readonly templates: Template[]; value?: LiquidValue }[];
}

/** LiquidJS's `Value`, and what its tags use of it. */
interface LiquidValue {
  readonly initial: { readonly postfix: readonly Token[] };
  readonly filters: readonly LiquidFilter[];
  value(ctx: Context, lenient?: boolean): unknown;
}

interface LiquidFilter {
  readonly args: readonly (Token | readonly [string, Token])[];
  readonly handler: (this: object, ...args: unknown[]) => unknown;
  readonly token: Token;
  readonly liquid: Liquid;
}

class DirectOutput implements Template {
  readonly token: Token;
  readonly #value: DirectValue;

  constructor({ token, value }: ValueTag) {
    this.token = token;
    this.#value = new DirectValue(value as LiquidValue);
  }

  render(ctx: Context, emitter: Emitter): void {
    emitter.write(toValue(this.#value.value(ctx)));
  }
}

class DirectValue implements LiquidValue {
  readonly initial: LiquidValue['initial'];
  readonly filters: readonly LiquidFilter[];
  readonly #operands: readonly Operand[];
  readonly #filterOperands: readonly (readonly Operand[])[];

  constructor({ initial, filters }: LiquidValue) {
    this.initial = initial;
    this.filters = filters;
    this.#operands = initial.postfix.map(toOperand);
    this.#filterOperands = filters.map(({ args }) => args.map(toArgument));
  }

  /** A value, where LiquidJS returns a generator of it: whoever yields it gets it back. */
  value(ctx: Context): unknown {
    let value = this.#operands.length === 1 ? this.#operands[0]?.(ctx, noStack) : this.#compute(ctx);
    for (let i = 0; i < this.filters.length; i++) {
      const { handler, token, liquid } = this.filters[i] as LiquidFilter;
      const args: unknown[] = [value];
      for (const operand of this.#filterOperands[i] as readonly Operand[]) args.push(operand(ctx, noStack));
      value = toValueSync(handler.apply({ context: ctx, token, liquid }, args) as never);
    }
    return value;
  }

  /** Reverse Polish, as LiquidJS keeps expressions. */
  #compute(ctx: Context): unknown {
    const stack: unknown[] = [];
    for (const operand of this.#operands) stack.push(operand(ctx, stack));
    return stack[0];
  }
}

/** Evaluates a token; an operator takes its operands from the stack. */
type Operand = (ctx: Context, stack: unknown[]) => unknown;

const noStack: unknown[] = [];

function toOperand(token: Token): Operand {
  if (token.kind === TokenKind.Operator) return toOperator((token as Token & { operator: string }).operator);
  if ('content' in token) return () => token.content;
  const keys = token.kind === TokenKind.PropertyAccess ? literalKeys(token as PropertyAccess) : undefined;
  if (keys) return (ctx) => readPath(ctx as unknown as Scopes, keys);
  return (ctx) => toValueSync(evalToken(token, ctx) as never);
}

function toArgument(arg: Token | readonly [string, Token]): Operand {
  if (!Array.isArray(arg)) return toOperand(arg as Token);
  const [name, token] = arg as [string, Token];
  const operand = token ? toOperand(token) : () => undefined;
  return (ctx, stack) => [name, operand(ctx, stack)];
}

function toOperator(name: string): Operand {
  return (ctx, stack) => {
    const operator = ctx.opts.operators[name] as (...args: unknown[]) => unknown;
    const right = stack.pop();
    return toValueSync((name === 'not' ? operator(right, ctx) : operator(stack.pop(), right, ctx)) as never);
  };
}

interface PropertyAccess extends Token {
  readonly variable?: Token;
  readonly props: readonly Token[];
}

function literalKeys({ variable, props }: PropertyAccess): readonly Key[] | undefined {
  if (variable || !props.every((prop) => 'content' in prop)) return undefined;
  return props.map((prop) => toValue((prop as unknown as { content: unknown }).content) as Key);
}

type Key = string | number;

/** The parts of `Context` that look up a path; one of them private there. */
interface Scopes {
  findScope(key: Key): object;
  readProperty(from: object, key: Key): unknown;
}

function readPath(scopes: Scopes, keys: readonly Key[]): unknown {
  let value: unknown = scopes.findScope(keys[0] as Key);
  for (const key of keys) value = toValueSync(scopes.readProperty(value as object, key) as never);
  return value;
}
