/**
 * Signs messages while their intents are being committed: a courier finds them ready. Needs no permission of the ledger, for nothing leaves
 * without the intent; a signature whose intent is refused was computed in vain.
 *
 * A message is signed once per intent: handed over again within it, it carries the same signature. The few that are signed at a time keep the threads
 * that also look up host names from being filled with minutes of work.
 */
import { LRUCache } from 'lru-cache';
import { addSignature } from '../dkim/add-signature.ts';
import type { DkimKey } from '../dkim/sign-message.ts';
import type { TenantId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Slots } from '../platform/slots.ts';
import type { CompiledMessage, RenderedMessage } from '../render/message.ts';
import type { GrantRun } from './grant-run.ts';
import type { SendMetrics } from './send-metrics.ts';

/** `unusable`: there is a key, and it can't be used. None: the domain's messages go unsigned. */
export type SigningKeys = readonly DkimKey[] | 'unusable';

export interface SigningKeyLookup {
  keysOf(tenantId: TenantId, domain: string): Promise<SigningKeys>;
}

/** Answers the same messages, signed. Rejects when a key does not sign. */
export type SignMessages = (messages: readonly RenderedMessage[]) => Promise<readonly RenderedMessage[]>;

export interface MessageSigning {
  /** What holds for the run's sending domain now; a number: nothing of it may leave, look again in so many ms. Never rejects. */
  begin(run: GrantRun): Promise<SignMessages | number>;
  /** How long a run waits whose key has just failed to sign. */
  readonly failedHoldMs: number;
}

export interface MessageSigningOptions {
  readonly keys: SigningKeyLookup;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SendMetrics;
}

/** Somebody has to put the key right; once that is done, sending goes on within this. */
const unusableHoldMs = 15_000;
/** The keys could not be read: the ledger can't be written either. */
const unreadHoldMs = 1_000;
const warnEveryMs = 30_000;
/** Twice libuv's four threads: they always find work, and others' waits behind two signatures at most. */
const signedAtOnce = 8;

const leaveUnsigned: SignMessages = async (messages) => messages;

export function createMessageSigning({ keys, clock, log, metrics }: MessageSigningOptions): MessageSigning {
  const slots = new Slots(signedAtOnce);
  const warned = new LRUCache<string, true>({ max: 1_000, ttl: warnEveryMs });

  async function sign(compiled: CompiledMessage, message: RenderedMessage, with_: readonly DkimKey[]) {
    await slots.take();
    try {
      const signed = await addSignature(compiled, message, { keys: with_, atMs: clock.now() });
      metrics.signed.inc();
      return signed;
    } finally {
      slots.free();
    }
  }

  function warn(run: GrantRun, domain: string): void {
    const { tenantId, campaignId } = run.grant;
    metrics.unsignable.inc();
    const key = `${tenantId}-${domain}`;
    if (warned.has(key)) return;
    warned.set(key, true);
    log.error({ tenantId, campaignId, domain }, 'messages wait: their domain has a key that can’t be used');
  }

  return {
    failedHoldMs: unusableHoldMs,
    async begin(run) {
      const { sendingDomain: domain } = run.terms;
      if (domain === null) return leaveUnsigned;
      try {
        const found = await keys.keysOf(run.grant.tenantId, domain);
        if (found === 'unusable') {
          warn(run, domain);
          return unusableHoldMs;
        }
        if (found.length === 0) return leaveUnsigned;
        return (messages) => Promise.all(messages.map((message) => sign(run.compiled, message, found)));
      } catch (error) {
        log.error({ err: error, campaignId: run.grant.campaignId }, 'signing keys not read');
        return unreadHoldMs;
      }
    },
  };
}
