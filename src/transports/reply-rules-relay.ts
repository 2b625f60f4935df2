/** Relays and sending services: what they say of our account with them. */
import type { ReplyRule } from './reply-rule.ts';

const minuteMs = 60_000;

export const relayRules: readonly ReplyRule[] = [
  {
    class: 'throttled',
    text: /daily (?:message|sending) quota exceeded/i,
    effect: { action: 'rest', scope: 'transport', durationMs: 10 * minuteMs },
    provider: 'ses',
    retryAfterMs: 10 * minuteMs,
    source: 'Amazon SES SMTP response codes; quota is a moving 24 h',
    example: '454 Throttling failure: Daily message quota exceeded.',
  },
  {
    class: 'throttled',
    text: /\bthrottling failure|maximum sending rate exceeded/i,
    provider: 'ses',
    source: 'Amazon SES SMTP response codes',
    example: '454 Throttling failure: Maximum sending rate exceeded.',
  },
  {
    class: 'account',
    text: /sending (?:suspended|paused) for this account|account (?:is |has been )?(?:suspended|disabled for sending)|maximum credits exceeded/i,
    provider: 'ses',
    source: 'Amazon SES and SendGrid SMTP responses',
    example:
      '554 Access denied: Sending suspended for this account. For more information, please check the inbox',
  },
  {
    class: 'message',
    text: /email address is not verified|unauthenticated senders not allowed|sender identity/i,
    provider: 'ses',
    source: 'Amazon SES and SendGrid SMTP responses: sender not verified',
    example: '554 Message rejected: Email address is not verified. The following identities failed the check',
  },
];
