/** Why a recipient gets no message. Closed: the ledger and the API show it as it stands. */
export type SkipReason =
  /** The template failed on this profile's data. */
  | 'render_error'
  /** It ran too long or made too much on the way. */
  | 'render_limit'
  /** CR, LF or NUL in a value that goes into a header. */
  | 'header_injection'
  | 'empty_subject'
  /** The message, or its subject, is longer than we send. */
  | 'too_large'
  | 'invalid_address';

/** Ends the rendering of one recipient; caught where it began. */
export class RenderFailure extends Error {
  readonly reason: SkipReason;
  /** Trying again can't be excluded to help: a stalled process looks like a slow template. */
  readonly isTimeout: boolean;

  constructor(reason: SkipReason, detail: string, isTimeout = false) {
    super(detail);
    this.name = 'RenderFailure';
    this.reason = reason;
    this.isTimeout = isTimeout;
  }
}

/** Anything thrown while rendering, as a failure of that recipient. LiquidJS wraps what a template's nodes throw. */
export function toRenderFailure(error: unknown): RenderFailure {
  const cause = findCause(error);
  if (cause instanceof RenderFailure) return cause;
  const detail = (error instanceof Error ? error.message : String(error)).slice(0, maxDetail);
  if (cause instanceof RangeError) return new RenderFailure('render_limit', detail);
  if (detail.startsWith('template render limit exceeded'))
    return new RenderFailure('render_limit', detail, true);
  if (detail.startsWith('memory alloc limit exceeded')) return new RenderFailure('render_limit', detail);
  return new RenderFailure('render_error', detail);
}

const maxDetail = 200;

function findCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof Error && 'originalError' in cause && cause.originalError)
    cause = cause.originalError;
  return cause;
}
