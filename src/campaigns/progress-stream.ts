/** Progress as server-sent events (HTML standard, section 9.2): `progress` whenever it has changed, `done` when it is over. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Seen } from './progress-watch.ts';

export interface EventStreamOptions {
  readonly show: (seen: Seen) => unknown;
  readonly isLast: (seen: Seen) => boolean;
  /** Looks without a change after which a comment shows that the stream lives. */
  readonly looksPerHeartbeat: number;
}

/** A client that lost the stream comes back after this. */
const retryMs = 3_000;

/** Until the looks end or the signal aborts. A slow reader is waited for: it misses looks, and costs no memory. */
export async function writeEvents(
  out: Writable,
  looks: AsyncGenerator<Seen | undefined>,
  options: EventStreamOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { show, isLast, looksPerHeartbeat, signal } = options;
  const write = (text: string) => writeText(out, text, signal);
  let id = 0;
  let shown = '';
  let unchanged = 0;
  await write(`retry: ${retryMs}\n\n`);
  for await (const seen of looks) {
    const data = seen === undefined ? shown : JSON.stringify(show(seen));
    const isDone = seen !== undefined && isLast(seen);
    if (data !== shown || isDone) {
      await write(`id: ${++id}\nevent: ${isDone ? 'done' : 'progress'}\ndata: ${data}\n\n`);
      shown = data;
      unchanged = 0;
    } else if (++unchanged % looksPerHeartbeat === 0) {
      await write(': still here\n\n');
    }
  }
}

async function writeText(out: Writable, text: string, signal: AbortSignal): Promise<void> {
  if (out.destroyed || out.write(text)) return;
  await once(out, 'drain', { signal }).catch(() => undefined);
}
