/** Waits until the API says it is ready: its database migrated, its Redis there. */
import { setTimeout as pause } from 'node:timers/promises';

const timeoutMs = 30_000;

export async function waitUntilReady(baseUrl: string, signal: AbortSignal): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (performance.now() < until && !signal.aborted) {
    const isReady = await fetch(`${baseUrl}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await pause(50);
  }
  throw new Error(`the API at ${baseUrl} was not ready within ${timeoutMs / 1000} s`);
}
