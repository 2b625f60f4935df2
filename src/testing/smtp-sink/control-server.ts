/**
 * The sink over HTTP, on loopback, for tests whose sink is another process. Everything is JSON.
 *
 *   GET    /state                            counts, connections, rules, providers (sink-state.ts)
 *   PUT    /rules            [rule, ...]     replaces all rules
 *   POST   /rules            rule            adds one; answers { id }
 *   POST   /providers        limits          sets what a provider puts up with
 *   POST   /release?rule=id                  lets stalled connections go on, all without `rule`; answers { released }
 *   GET    /wait?messages=n&timeoutMs=ms     answers the state once so many are accepted, 408 after the time
 *   GET    /wait?rule=id&hits=n&timeoutMs=ms the same once a rule has fired so often
 *   GET    /wait?connections=n&timeoutMs=ms  the same once so few are open
 *   GET    /series?since=ms                  what each provider saw in each tenth of a second (provider-series.ts)
 *   GET    /addresses                        { address: messages it got }
 *   GET    /duplicates                       [address, ...]
 *   GET    /messages/first                   the first kept message, as message/rfc822
 *   DELETE /accepted                         forgets what was accepted
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseProviderLimits, parseRule, parseRules } from './script-schema.ts';
import type { SmtpSink } from './sink.ts';
import { stateOf } from './sink-state.ts';

const DEFAULT_WAIT_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
}

interface Request {
  readonly query: URLSearchParams;
  readonly json: () => Promise<unknown>;
}

type Route = (sink: SmtpSink, request: Request) => Answer | Promise<Answer>;

const routes: Readonly<Record<string, Route>> = {
  'GET /state': (sink) => ok(stateOf(sink)),
  'PUT /rules': async (sink, { json }) => {
    sink.setRules(parseRules(await json()));
    return ok({});
  },
  'POST /rules': async (sink, { json }) => ok({ id: sink.addRule(parseRule(await json())) }),
  'POST /providers': async (sink, { json }) => {
    sink.limitProvider(parseProviderLimits(await json()));
    return ok({});
  },
  'POST /release': (sink, { query }) => ok({ released: sink.release(query.get('rule') ?? undefined) }),
  'GET /wait': wait,
  'GET /series': (sink, { query }) => ok(sink.series(Number(query.get('since') ?? 0))),
  'GET /addresses': (sink) => ok(Object.fromEntries(sink.accepted().byAddress)),
  'GET /duplicates': (sink) => ok(sink.accepted().duplicates()),
  'GET /messages/first': firstMessage,
  'DELETE /accepted': (sink) => {
    sink.clearAccepted();
    return ok({});
  },
};

/** Listens on a port of 127.0.0.1; 0 takes a free one. */
export function serveControl(sink: SmtpSink, port: number): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => void respond(sink, request, response));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}

async function respond(sink: SmtpSink, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const route = routes[`${request.method} ${pathname}`];
  const asked = { query: searchParams, json: () => readJson(request) };
  const answer = route === undefined ? problem(404, `No ${pathname}`) : await attempt(route, sink, asked);
  response.writeHead(answer.status, { 'content-type': answer.type });
  response.end(answer.body);
}

async function attempt(route: Route, sink: SmtpSink, asked: Request): Promise<Answer> {
  try {
    return await route(sink, asked);
  } catch (error) {
    return problem(400, error instanceof Error ? error.message : String(error));
  }
}

function wait(sink: SmtpSink, { query }: Request): Promise<Answer> {
  const waiting = { timeoutMs: Number(query.get('timeoutMs') ?? DEFAULT_WAIT_MS) };
  return reach(sink, query, waiting).then(
    () => ok(stateOf(sink)),
    (error: Error) => problem(408, error.message),
  );
}

function reach(sink: SmtpSink, query: URLSearchParams, waiting: { timeoutMs: number }): Promise<void> {
  const rule = query.get('rule');
  const connections = query.get('connections');
  if (rule !== null) return sink.waitForHits(rule, Number(query.get('hits') ?? 1), waiting);
  if (connections !== null) return sink.waitForConnections(Number(connections), waiting);
  return sink.waitForAccepted(Number(query.get('messages') ?? 1), waiting);
}

function firstMessage(sink: SmtpSink): Answer {
  const bytes = sink.accepted().kept[0]?.bytes;
  if (bytes === undefined) return problem(404, 'No message was kept: see keepBodies');
  return { status: 200, type: 'message/rfc822', body: bytes };
}

function ok(body: unknown): Answer {
  return { status: 200, type: 'application/json', body: JSON.stringify(body) };
}

function problem(status: number, detail: string): Answer {
  return { status, type: 'application/problem+json', body: JSON.stringify({ status, detail }) };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
