/**
 * A destination that refuses a sending domain for policy: the domain rests there, its tenant is told, and nobody else is slowed. Written at most once a
 * second for each; if we die before it is written, the next refusals say the same again.
 */
import { LRUCache } from 'lru-cache';
import type { Log } from '../platform/log.ts';
import type { SenderPause } from '../senders/sender-pauses.ts';
import type { Outcome } from '../transports/contract.ts';
import type { GrantRun } from './grant-run.ts';
import { createPolicyWatch } from './policy-watch.ts';
import { withoutAddresses } from './result-policy.ts';
import type { SendMetrics } from './send-metrics.ts';

export interface SenderPausingOptions {
  readonly destinationId: number;
  readonly log: Log;
  readonly now: () => number;
  readonly metrics: SendMetrics;
  readonly pause: (pause: SenderPause) => Promise<void>;
}

const usualPauseMs = 3_600_000;
/** The grants of it end; by the time they are dispatched again, the pause is written. */
const grantHoldMs = 2_000;
const writeEveryMs = 1_000;

export function createSenderPausing({ destinationId, log, now, metrics, pause }: SenderPausingOptions) {
  const watch = createPolicyWatch();
  const justWritten = new LRUCache<string, true>({ max: 1_000, ttl: writeEveryMs });

  function write(run: GrantRun, domain: string, outcome: Refusal): void {
    const { tenantId } = run.grant;
    const key = `${tenantId}-${domain}`;
    if (justWritten.has(key)) return;
    justWritten.set(key, true);
    metrics.senderPauses.inc();
    const reply = { ...outcome.reply, text: withoutAddresses(outcome.reply.text) };
    const durationMs = outcome.effect?.durationMs ?? usualPauseMs;
    log.warn({ alert: 'sender_paused', ...run.fields, domain, reply: reply.text }, 'sending domain rests');
    pause({ tenantId, destinationId, domain, durationMs, reply }).catch((error) =>
      log.error({ err: error, ...run.fields, domain }, 'pause not written'),
    );
  }

  return (run: GrantRun, outcome: Outcome): void => {
    const domain = run.terms.sendingDomain;
    if (domain === null) return;
    const isRefused = 'effect' in outcome && outcome.effect?.action === 'pause_sender';
    if (!watch.answered(`${run.grant.tenantId}-${domain}`, isRefused, now()) || !isRefused) return;
    run.stop(grantHoldMs, { isOwn: true });
    write(run, domain, outcome);
  };
}

type Refusal = Extract<Outcome, { kind: 'deferred' | 'rejected' }>;
