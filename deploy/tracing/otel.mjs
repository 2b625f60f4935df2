/**
 * An OpenTelemetry SDK for Sluice's processes, to be copied and changed: `node --import ./otel.mjs`, or NODE_OPTIONS (docs/operations.md, "Traces and
 * logs"). It sends spans by OTLP over HTTP and takes the usual variables: OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT,
 * OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, OTEL_RESOURCE_ATTRIBUTES.
 *
 * The versions beside it run on Node 20. On Node 22 or later @opentelemetry/sdk-node does the same in fewer lines.
 */
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

// NODE_OPTIONS holds for threads, too. Those in which templates are compiled have little memory and no spans.
if (isMainThread) {
  // One name per process (sluice-send, sluice-server, ...), unless OTEL_SERVICE_NAME says another.
  const named = resourceFromAttributes({
    'service.name': `sluice-${basename(process.argv[1] ?? 'node', '.js')}`,
  });
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
}
