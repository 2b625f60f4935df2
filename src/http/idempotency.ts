/**
 * Idempotency-Key: a request that creates something has its effect once, however often it is sent.
 *
 * A key is claimed by inserting its row, held by a lock that is renewed while the handler runs, and keeps the reply
 * for a day. Errors that may pass (5xx, 429) give the key back.
 *
 * Hazard: what the handler commits and the reply that is kept are two transactions. If we die between them, the lock
 * runs out and a repeated request does the work again; the window is the time from the handler's commit to ours.
 */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Log } from '../platform/log.ts';
import type { Claim, IdempotencyStore } from './idempotency-store.ts';
import type { TextReply } from './reply.ts';

export interface IdempotentCall {
  readonly tenantId: TenantId;
  /** The header as it came; empty without one. */
  readonly header: string;
  readonly fingerprint: Buffer;
}

/** Runs `work` unless its reply is known; throws 400, 409 or 422 as the IETF's draft has it. */
export type RunOnce = (call: IdempotentCall, work: () => Promise<TextReply>) => Promise<TextReply>;

const lockSeconds = 30;
const renewMs = 10_000;

export function createIdempotency(store: IdempotencyStore, log: Log): RunOnce {
  return async ({ tenantId, header, fingerprint }, work) => {
    const keyHash = createHash('sha256').update(readKey(header)).digest();
    const claim: Claim = { tenantId, keyHash, fingerprint, owner: randomBytes(12).toString('base64url') };
    const found = await store.claim(claim, lockSeconds);
    if (found.kind === 'claimed') return await runClaimed(store, claim, work, log);
    if (!found.fingerprint.equals(fingerprint)) throw mismatch();
    if (found.kind === 'running') throw inProgress();
    return { ...found.reply, headers: { ...found.reply.headers, 'Idempotent-Replayed': 'true' } };
  };
}

/** The draft wants a quoted string (RFC 8941); bare ones are what people send. */
function readKey(header: string): string {
  const key = /^"(.*)"$/.exec(header.trim())?.[1] ?? header.trim();
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  const detail = key === '' ? 'is missing' : 'must be 1 to 255 printable ASCII characters';
  throw new AppError('idempotency_key_missing', { errors: [{ parameter: 'Idempotency-Key', detail }] });
}

async function runClaimed(
  store: IdempotencyStore,
  claim: Claim,
  work: () => Promise<TextReply>,
  log: Log,
): Promise<TextReply> {
  const warn = (error: unknown) => log.warn({ err: error }, 'idempotency key not written');
  const renewal = setInterval(() => void store.renew(claim, lockSeconds).catch(warn), renewMs);
  try {
    const reply = await work();
    // The work is done, whatever becomes of our note of it: the caller gets its reply.
    await store.complete(claim, reply).catch(warn);
    return reply;
  } catch (error) {
    await store.release(claim).catch(warn);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

function mismatch(): AppError {
  return new AppError('idempotency_mismatch', {
    errors: [{ parameter: 'Idempotency-Key', detail: 'was used with another method, path or body' }],
  });
}

function inProgress(): AppError {
  return new AppError('idempotency_in_progress', { retryAfterSeconds: 1 });
}
