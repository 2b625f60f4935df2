/** The tags that LiquidJS has and a template must not have, and the one that needs a bound. */
import {
  CaptureTag,
  type Context,
  type Emitter,
  type Liquid,
  Tag,
  type TagToken,
  type Template,
  type TopLevelToken,
} from 'liquidjs';
import { toText } from './text-emitter.ts';

/** Fails where it stands in the source. */
export class ForbiddenTag extends Tag {
  constructor(token: TagToken, remainTokens: TopLevelToken[], liquid: Liquid) {
    super(token, remainTokens, liquid);
    throw new Error(`the tag "${token.name}" is not available: a template stands alone`);
  }

  override render(): void {}
}

/** A capture that holds itself can double with each turn of a loop; LiquidJS counts filters' output but not this. */
export class BoundedCaptureTag extends CaptureTag {
  override *render(ctx: Context): Generator<unknown, void, string> {
    const emitter = new ChargingEmitter(ctx);
    yield this.liquid.renderer.renderTemplates(this.templates as Template[], ctx, emitter);
    (ctx.bottom() as Record<string, unknown>)[this.variable] = emitter.buffer;
  }
}

class ChargingEmitter implements Emitter {
  buffer = '';
  readonly #ctx: Context;

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  write(value: unknown): void {
    const text = toText(value);
    this.#ctx.memoryLimit.use(text.length);
    this.buffer += text;
  }
}
