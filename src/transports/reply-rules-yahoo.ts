/** Yahoo, AOL and the domains they run: https://senders.yahooinc.com/smtp-error-codes, read 2025 and 2026. */
import type { ReplyRule } from './reply-rule.ts';

const hourMs = 3_600_000;

export const yahooRules: readonly ReplyRule[] = [
  {
    class: 'throttled',
    text: /\[?(?:TSS?|IPTS)04\]?\b/,
    effect: { action: 'rest', scope: 'destination', durationMs: 2 * hourMs },
    provider: 'yahoo',
    retryAfterMs: 2 * hourMs,
    source: 'Yahoo SMTP error codes; KumoMTA shaping suspends for 2 h',
    example:
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
  },
  {
    class: 'throttled',
    text: /\[(?:TSS?|IPTS)05\]/,
    effect: { action: 'rest', scope: 'destination', durationMs: 4 * hourMs },
    provider: 'yahoo',
    retryAfterMs: 4 * hourMs,
    source: 'Yahoo SMTP error codes; KumoMTA community shaping suspends for 4 h',
    example:
      '421 4.7.0 [TSS05] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /\[TS0[1-3]\]/,
    provider: 'yahoo',
    source: 'Yahoo SMTP error codes; KumoMTA community shaping: a message a minute for 30 min',
    example:
      '421 4.7.0 [TS02] Messages from 192.0.2.1 temporarily deferred due to user complaints - 4.16.56.1',
  },
  {
    class: 'transient',
    code: [400, 499],
    text: /max(?:imum)? messages? per (?:connection|session)|too many messages (?:for|in) this session/i,
    provider: 'yahoo',
    source: 'Yahoo, Comcast and Exchange: the connection has carried its share, and the next one carries on',
    example: '421 Max message per connection reached, closing transmission channel',
  },
  {
    class: 'policy',
    text: /\[(?:TS03|BL2[0-9]|PH0[0-9]|IPTS0[0-3])\]/,
    provider: 'yahoo',
    source: 'Yahoo SMTP error codes',
    example:
      '553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus list; see https://postmaster.yahooinc.com/550-bl23',
  },
  {
    class: 'address',
    text: /doesn't have an? \S{1,40} account|this mailbox is disabled/i,
    code: [500, 599],
    provider: 'yahoo',
    source: 'Yahoo SMTP error codes 554.30',
    example: "554 delivery error: dd This user doesn't have a yahoo.com account (user@yahoo.com) [0]",
  },
];
