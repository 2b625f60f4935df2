/** Sends what the SDK still holds, before the process exits: its last seconds are often those that are asked for. */
import { type TracerProvider, trace } from '@opentelemetry/api';

interface Flushable {
  forceFlush?(): Promise<void>;
}

/** The API gives a proxy of the provider, of its own copy or of the SDK's: told by its method, not by its class. */
interface ProviderProxy {
  getDelegate?(): Flushable;
}

/** Does nothing without an SDK; never rejects, and takes no longer than `withinMs`. */
export async function flushSpans(
  withinMs: number,
  provider: TracerProvider = trace.getTracerProvider(),
): Promise<void> {
  const proxy = provider as TracerProvider & ProviderProxy & Flushable;
  const flushable = proxy.getDelegate?.() ?? proxy;
  if (!flushable.forceFlush) return;
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs);
  });
  await Promise.race([flushable.forceFlush().catch(() => undefined), bound]);
  clearTimeout(timer);
}
