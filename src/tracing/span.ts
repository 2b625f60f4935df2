/**
 * Spans as the stages use them. `@opentelemetry/api` does nothing until an SDK is registered, which whoever runs Sluice brings (docs/operations.md). Until
 * then a span is one small object; so none is made per message, and attributes are functions, which are called only for spans that are recorded.
 */
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { type TraceFields, traceFieldsOf } from './log-fields.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const tracer = trace.getTracer('sluice');

export interface SpanStart {
  /** Default: internal. */
  readonly kind?: SpanKind | undefined;
  /** The parent's context. Default: what is active here. */
  readonly within?: Context;
  /** Wall clock, ms. Default: now. */
  readonly startedAtMs?: number | undefined;
  readonly attributes?: () => Attributes;
}

export function startSpan(name: string, { kind, within, startedAtMs, attributes }: SpanStart = {}): OpenSpan {
  const options = {
    kind: kind ?? SpanKind.INTERNAL,
    ...(startedAtMs !== undefined && { startTime: startedAtMs }),
  };
  const open = new OpenSpan(tracer.startSpan(name, options, within ?? context.active()));
  if (attributes) open.set(attributes);
  return open;
}

/** The context of a parent that was in another process; without one, that of a trace of its own. */
export function parentContext(traceparent: string | null | undefined): Context {
  const parent = parseTraceparent(traceparent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** The active span, for what another process is to go on from. */
export function activeTraceparent(): string | undefined {
  const span = trace.getActiveSpan();
  return span && formatTraceparent(span.spanContext());
}

/** Says more of the active span, if one is recorded. */
export function annotate(attributes: () => Attributes): void {
  const span = trace.getActiveSpan();
  if (span?.isRecording()) span.setAttributes(attributes());
}

/**
 * Runs `work` outside of any span. For what starts loops or serves several grants at once: what it starts lives on in the context of its beginning,
 * and would put one grant's trace on another's log lines.
 */
export function outsideSpans<T>(work: () => T): T {
  return context.with(ROOT_CONTEXT, work);
}

export class OpenSpan {
  readonly #span: Span;

  constructor(span: Span) {
    this.#span = span;
  }

  /** Undefined without an SDK. */
  get traceparent(): string | undefined {
    return formatTraceparent(this.#span.spanContext());
  }

  /** For log lines that are written where the span is not active. */
  get fields(): TraceFields {
    return traceFieldsOf(this.#span.spanContext());
  }

  get isRecorded(): boolean {
    return this.#span.isRecording();
  }

  set(attributes: () => Attributes): void {
    if (this.isRecorded) this.#span.setAttributes(attributes());
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  /** Points to another trace; one that is not sampled is not there to be pointed at. */
  link(traceparent: string | null | undefined): void {
    const other = parseTraceparent(traceparent);
    if (other && other.traceFlags % 2 === 1) this.#span.addLink({ context: other });
  }

  note(event: string): void {
    this.#span.addEvent(event);
  }

  fail(reason?: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, ...(reason && { message: reason }) });
  }

  /** Its kind of error, and not its text: that may hold an address. The log has it. */
  end(error?: unknown): void {
    if (error !== undefined) {
      const kind = error instanceof Error ? error.name : 'error';
      this.set(() => ({ 'error.type': kind }));
      this.fail(kind);
    }
    this.#span.end();
  }

  /** Runs `work` with this span active: log lines carry it, spans begun meanwhile are its children. */
  within<T>(work: () => T): T {
    return context.with(trace.setSpan(context.active(), this.#span), work);
  }

  /** The same, and the span ends with the work. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await this.within(work);
      this.end();
      return result;
    } catch (error) {
      this.end(error);
      throw error;
    }
  }
}
