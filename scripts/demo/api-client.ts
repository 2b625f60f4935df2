/** The demo as a user of the API: plain HTTP, one key, and every problem document turned into an error with its words. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';

// biome-ignore lint/suspicious/noExplicitAny: the demo reads a few fields of each reply, as a script would.
export type Json = any;

export interface ApiClient {
  get(path: string): Promise<Json>;
  post(path: string, body?: unknown): Promise<Json>;
  upload(path: string, contentType: string, body: Readable): Promise<Json>;
  /** Events of a stream until it ends. */
  events(path: string, signal: AbortSignal): AsyncGenerator<{ readonly event: string; readonly data: Json }>;
}

export function createApiClient(baseUrl: string, bearer: string): ApiClient {
  async function call(method: string, path: string, init: RequestInit = {}): Promise<Json> {
    const headers = { authorization: `Bearer ${bearer}`, 'idempotency-key': randomUUID(), ...init.headers };
    const response = await fetch(baseUrl + path, { ...init, method, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  return {
    get: (path) => call('GET', path),
    post: (path, body = {}) =>
      call('POST', path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    upload: (path, contentType, body) =>
      call('POST', path, {
        body,
        headers: { 'content-type': contentType },
        duplex: 'half',
      } as unknown as RequestInit),
    async *events(path, signal) {
      const response = await fetch(baseUrl + path, {
        headers: { authorization: `Bearer ${bearer}` },
        signal,
      });
      if (!response.ok || !response.body) throw new Error(`GET ${path}: ${response.status}`);
      yield* readEvents(response.body);
    },
  };
}

/** Server-sent events, as the HTML standard frames them: fields by line, events by blank line. */
async function* readEvents(body: ReadableStream<Uint8Array>) {
  let buffered = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    buffered += decoder.decode(bytes, { stream: true });
    const events = buffered.split('\n\n');
    buffered = events.pop() ?? '';
    for (const text of events) {
      const data = /^data: (.*)$/m.exec(text)?.[1];
      if (data !== undefined)
        yield { event: /^event: (.*)$/m.exec(text)?.[1] ?? 'message', data: JSON.parse(data) };
    }
  }
}
