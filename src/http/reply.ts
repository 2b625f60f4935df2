/** Replies on their way out: a handler's reply or a problem as text, and streams that end when the server stops. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '../errors.ts';
import { discardRest } from './body.ts';
import { toProblem } from './problem.ts';
import type { RouteReply } from './route.ts';
import { htmlPolicy } from './security-headers.ts';

/** A whole reply as text: what is sent, and what is kept for an Idempotency-Key. */
export interface TextReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type StreamReply = Extract<RouteReply, { kind: 'stream' }>;

export function toTextReply(reply: Exclude<RouteReply, StreamReply>): TextReply {
  const { status, headers } = reply;
  if (reply.kind === 'html') {
    const html = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': htmlPolicy };
    return { status, headers: { ...html, ...headers }, body: reply.body };
  }
  if (reply.body === undefined) return { status, headers: { ...headers }, body: '' };
  const json = { 'Content-Type': 'application/json; charset=utf-8' };
  return { status, headers: { ...json, ...headers }, body: JSON.stringify(reply.body) };
}

export function toProblemReply(error: AppError, place: { instance: string; requestId: string }): TextReply {
  const { retryAfterSeconds } = error;
  return {
    status: error.kind.status,
    headers: {
      'Content-Type': 'application/problem+json; charset=utf-8',
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(Math.ceil(retryAfterSeconds)) }),
    },
    body: JSON.stringify(toProblem(error, place)),
  };
}

export async function sendText(req: IncomingMessage, res: ServerResponse, reply: TextReply): Promise<void> {
  await discardRest(req);
  if (res.headersSent || res.destroyed) return;
  if (!req.complete) res.setHeader('Connection', 'close');
  const bytes = Buffer.from(reply.body);
  for (const [name, value] of Object.entries(reply.headers)) res.setHeader(name, value);
  if (reply.status !== 204 && reply.status !== 304) res.setHeader('Content-Length', bytes.length);
  res.statusCode = reply.status;
  res.end(bytes);
}

/** Runs until the writer is done, the client goes or the server stops, whichever comes first. */
export async function sendStream(
  res: ServerResponse,
  reply: StreamReply,
  signal: AbortSignal,
): Promise<void> {
  res.writeHead(reply.status, { ...reply.headers });
  res.flushHeaders();
  try {
    await reply.write(res, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  res.end();
}
