import { ProxyTracerProvider, type TracerProvider, trace } from '@opentelemetry/api';
import { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { expect, test } from 'vitest';
import { flushSpans } from './flush-spans.ts';

const longMs = 60_000;

/** As the API hands it out. */
function behindProxy(provider: object): TracerProvider {
  const proxy = new ProxyTracerProvider();
  proxy.setDelegate(provider as TracerProvider);
  return proxy;
}

test('what the SDK still holds is sent', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
  provider.getTracer('test').startSpan('last').end();
  expect(exporter.getFinishedSpans()).toHaveLength(0);
  await flushSpans(longMs, behindProxy(provider));
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['last']);
  await provider.shutdown();
});

test('a collector that never answers is not waited for', async () => {
  await flushSpans(1, behindProxy({ forceFlush: () => new Promise(() => {}) }));
});

test('one that refuses is no error', async () => {
  await flushSpans(longMs, behindProxy({ forceFlush: () => Promise.reject(new Error('refused')) }));
});

test('without an SDK there is nothing to send', async () => {
  await flushSpans(longMs, new ProxyTracerProvider());
  await flushSpans(longMs, trace.getTracerProvider());
});
