/** Waits for a condition in the database or elsewhere that gives no signal, by asking again until a bound. */
import { setTimeout as pause } from 'node:timers/promises';

export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false | null>,
  timeoutMs = 30_000,
  everyMs = 20,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > until) throw new Error(`gave up waiting for ${what} after ${timeoutMs} ms`);
    await pause(everyMs);
  }
}
