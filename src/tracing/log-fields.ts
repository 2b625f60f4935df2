/** What ties log lines to traces. The names are those that OpenTelemetry gives them in JSON logs. */
import { isSpanContextValid, type SpanContext, trace } from '@opentelemetry/api';

export interface TraceFields {
  readonly trace_id?: string;
  readonly span_id?: string;
}

export function traceFieldsOf(span: SpanContext | undefined): TraceFields {
  if (!span || !isSpanContextValid(span)) return {};
  return { trace_id: span.traceId, span_id: span.spanId };
}

/** pino asks this for every line that is written; without an SDK nothing is ever active. A new object each time: pino merges the line into it. */
export function activeTraceFields(): TraceFields {
  return traceFieldsOf(trace.getActiveSpan()?.spanContext());
}
