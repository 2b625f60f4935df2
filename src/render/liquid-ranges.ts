/**
 * Ranges whose bounds can be counted between. LiquidJS charges a range by the difference of its bounds, then counts up by one: from 2^53 on adding one
 * changes nothing, so that `(9007199254740992..9007199254740994)`, three items by its reckoning, took all of a renderer's memory.
 *
 * Bounds are wrapped where LiquidJS reads a range, which is one place for tags, outputs, arguments, and for the expressions that filters such as
 * `where_exp` read while they run; walking parsed nodes would miss those. The place belongs to the class, so it holds for all of this process.
 */
import { type Context, evalTokenValue, Token, Tokenizer, TokenKind } from 'liquidjs';
import { RenderFailure } from './render-failure.ts';

/** No page counts this far; adding one to a fraction of this size still changes it. */
const furthestBound = 1e15;

/** What is known of a range's token; LiquidJS exports no type of it. */
interface RangeToken extends Token {
  lhs: Token;
  rhs: Token;
}

/** A group in parentheses with nothing but a bound in it: LiquidJS asks such a token for its value. */
class Bound extends Token {
  readonly initial: { evaluate(ctx: Context): Generator<unknown, unknown> };
  readonly filters = [];

  constructor(token: Token) {
    super(TokenKind.FilteredValue, token.input, token.begin, token.end, token.file);
    this.initial = { evaluate: (ctx) => evaluateBound(token, ctx) };
  }
}

/** Nonsense (a text, nothing at all) is left to LiquidJS, which makes an empty range of it. */
function* evaluateBound(token: Token, ctx: Context): Generator<unknown, unknown> {
  const value = yield evalTokenValue(token, ctx);
  if (Math.abs(Number(value)) > furthestBound) {
    throw new RenderFailure('render_limit', `a range begins or ends beyond ${furthestBound}`);
  }
  return value;
}

const readGroupOrRange = Tokenizer.prototype.readGroupOrRange;

Tokenizer.prototype.readGroupOrRange = function () {
  const token = readGroupOrRange.call(this);
  if (token?.kind !== TokenKind.Range) return token;
  const range = token as unknown as RangeToken;
  range.lhs = new Bound(range.lhs);
  range.rhs = new Bound(range.rhs);
  return token;
};
