/**
 * The trace of a grant: dispatch -> render -> send -> outcome, one span each. Dispatch begins it; each stage hands its own span on with the grant
 * (`src/queues/jobs.ts`). Names follow OpenTelemetry's conventions for messaging: operation, then queue.
 */
import { SpanKind } from '@opentelemetry/api';
import type { Grant } from '../ledger/grant.ts';
import { type GrantPlace, grantAttributes } from './chunk-names.ts';
import { type OpenSpan, parentContext, startSpan } from './span.ts';

type GrantStage = 'dispatch' | 'render' | 'send';

/** A grant, and the span of the stage before: without one (an older release dispatched it) it begins a trace of its own. */
type TracedGrant = Grant & { readonly traceparent?: string | undefined };

export function startGrantSpan(
  stage: GrantStage,
  place: GrantPlace,
  grant: TracedGrant,
  startedAtMs?: number,
): OpenSpan {
  const isDispatch = stage === 'dispatch';
  const queue = `${isDispatch ? 'render' : stage}-${place.class}`;
  return startSpan(`${stage} ${queue}`, {
    kind: isDispatch ? SpanKind.PRODUCER : SpanKind.CONSUMER,
    within: parentContext(grant.traceparent),
    startedAtMs,
    attributes: () => ({
      'messaging.system': 'bullmq',
      'messaging.destination.name': queue,
      'messaging.operation.name': stage,
      'messaging.operation.type': isDispatch ? 'send' : 'process',
      ...grantAttributes(grant, place),
    }),
  });
}
