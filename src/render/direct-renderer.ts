import { type Context, type Emitter, LiquidError, RenderError, type Template, toValueSync } from 'liquidjs';
import { TextEmitter } from './text-emitter.ts';

/**
 * LiquidJS's `Render` without its generators, which serve asynchronous data we don't have: the same nodes in the same
 * order with the same errors, in a third of the time. Tags `yield` what it returns, and a plain value passes through.
 */
export class DirectRenderer {
  /** Answers the emitter's buffer, as LiquidJS does. */
  renderTemplates(
    templates: readonly Template[],
    ctx: Context,
    emitter: Emitter = new TextEmitter(),
  ): string {
    let current: Template | undefined;
    let sinceCheck = nodesPerCheck;
    try {
      for (current of templates) {
        if (++sinceCheck > nodesPerCheck) {
          ctx.renderLimit.check(performance.now());
          sinceCheck = 0;
        }
        const text: unknown = toValueSync(current.render(ctx, emitter));
        if (text) emitter.write(text);
        if (ctx.breakCalled || ctx.continueCalled) break;
      }
      if (!current) ctx.renderLimit.check(performance.now());
    } catch (error) {
      throw LiquidError.is(error) || !current ? error : new RenderError(error as Error, current);
    }
    return emitter.buffer;
  }
}

/** Reading the clock costs as much as a simple node; each block starts with a check. */
const nodesPerCheck = 16;
