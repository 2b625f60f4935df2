import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { startTestApi } from '../testing/test-api.ts';
import { defineRoute, json, type Route } from './route.ts';

const base = { tag: 'T', access: 'lists:read', summary: 't' } as const;

/** A handler that waits to be released, and a promise of its being entered. */
function gate() {
  let release = () => {};
  let enter = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const pass = () => {
    enter();
    return released;
  };
  return { release, entered, pass };
}

test('stopping finishes what is being answered, ends streams, and takes nothing new', async () => {
  const slow = gate();
  const routes: readonly Route[] = [
    defineRoute({
      ...{ method: 'get', path: '/v1/slow', operationId: 'slow', ...base },
      responses: { 200: { description: 'ok', schema: z.object({ done: z.boolean() }) } },
      async handle() {
        await slow.pass();
        return json(200, { done: true });
      },
    }),
    defineRoute({
      ...{ method: 'get', path: '/v1/stream', operationId: 'stream', ...base },
      responses: { 200: { description: 'events', contentType: 'text/event-stream' } },
      handle: async () => ({
        kind: 'stream',
        status: 200,
        headers: { 'Content-Type': 'text/event-stream' },
        async write(out, signal) {
          out.write('data: 1\n\n');
          await once(signal, 'abort');
          out.write('data: bye\n\n');
        },
      }),
    }),
  ];
  const api = await startTestApi({ routes: () => routes });
  const tenant = await api.createTenant();
  const stream = await fetch(`${api.url}/v1/stream`, {
    headers: { Authorization: `Bearer ${tenant.secret}` },
  });
  const inFlight = tenant.get('/v1/slow');
  await slow.entered;
  const stopped = Promise.all([api.server.stop(), api.server.stop()]);
  expect(await stream.text()).toBe('data: 1\n\ndata: bye\n\n');
  await expect(fetch(`${api.url}/livez`)).rejects.toThrow();
  slow.release();
  const reply = await inFlight;
  expect(reply).toMatchObject({ status: 200, body: { done: true } });
  expect(reply.headers.get('connection')).toBe('close');
  await stopped;
  await api.stop();
});

test('what does not end is cut after the bound', async () => {
  const stuck = gate();
  const route = defineRoute({
    ...{ method: 'get', path: '/v1/stuck', operationId: 'stuck', ...base },
    responses: { 204: { description: 'never' } },
    async handle() {
      await stuck.pass();
      return json(204);
    },
  });
  const api = await startTestApi({ routes: () => [route], environment: { STOP_TIMEOUT_MS: '1000' } });
  const tenant = await api.createTenant();
  const cut = expect(tenant.get('/v1/stuck')).rejects.toThrow();
  await stuck.entered;
  await api.stop();
  await cut;
  stuck.release();
});

test('an idle kept-alive connection does not hold the stop up', async () => {
  const api = await startTestApi({ environment: { STOP_TIMEOUT_MS: '300000' } });
  const agent = new Agent({ keepAlive: true });
  const [reply] = await once(get(`${api.url}/livez`, { agent }), 'response');
  await once(reply.resume(), 'end');
  await api.stop();
  agent.destroy();
});

test('a client that leaves aborts its stream', async () => {
  const left = gate();
  const route = defineRoute({
    ...{ method: 'get', path: '/v1/stream', operationId: 'stream', ...base },
    responses: { 200: { description: 'events', contentType: 'text/event-stream' } },
    handle: async () => ({
      kind: 'stream',
      status: 200,
      headers: { 'Content-Type': 'text/event-stream' },
      async write(out, signal) {
        out.write('data: 1\n\n');
        await once(signal, 'abort');
        void left.pass();
      },
    }),
  });
  const api = await startTestApi({ routes: () => [route] });
  const tenant = await api.createTenant();
  const abort = new AbortController();
  const headers = { Authorization: `Bearer ${tenant.secret}` };
  const response = await fetch(`${api.url}/v1/stream`, { headers, signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
  await left.entered;
  await api.stop();
});
