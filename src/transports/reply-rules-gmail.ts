/** Gmail and Google Workspace: https://support.google.com/a/answer/3726730, read 2025 and 2026. */
import type { ReplyRule } from './reply-rule.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const gmailRules: readonly ReplyRule[] = [
  {
    class: 'policy',
    enhanced: /^[45]\.7\.(?:2[3-6]|29|3[0-2]|40)$/,
    provider: 'gmail',
    source:
      'RFC 7372; Gmail sender guidelines: SPF, DKIM, DMARC, PTR or TLS missing, worded as "rate limited"',
    example:
      "421 4.7.29 Your email has been rate limited because this message wasn't sent over a TLS connection.",
  },
  {
    class: 'policy',
    enhanced: /^[45]\.7\.27$/,
    text: /\bspf\b|authenticat/i,
    provider: 'gmail',
    source: 'Gmail sender guidelines: 4.7.27, 5.7.27',
    example:
      '550 5.7.27 Your email has been blocked because SPF authentication did not pass for this message.',
  },
  {
    // One recipient's own flood: everybody else's mail goes on.
    class: 'transient',
    text: /receiving mail (?:too quickly|at a rate that prevents)/i,
    provider: 'gmail',
    retryAfterMs: 10 * minuteMs,
    source: 'Gmail SMTP errors 4.2.1, 5.2.1',
    example:
      '450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.',
  },
  {
    // About one domain's mail, not about the IP address it shares with others.
    class: 'throttled',
    code: [400, 499],
    text: /unusual rate of unsolicited mail.{0,80}(?:\b(?:DKIM|SPF) domain|from your domain)|rate limited.{0,80}\b(?:DKIM|SPF) domain/i,
    effect: { action: 'pause_sender', scope: 'sender', durationMs: 15 * minuteMs },
    provider: 'gmail',
    source: 'Gmail SMTP errors 4.7.28: DKIM domain, SPF domain',
    example:
      '421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your DKIM domain [example.org]. To protect our users from spam, mail sent from your domain has been temporarily rate limited.',
  },
  {
    class: 'throttled',
    text: /unusual rate of unsolicited mail|rate limited to protect|has been rate limited/i,
    code: [400, 499],
    provider: 'gmail',
    source: 'Gmail SMTP errors 4.7.28',
    example:
      '421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate limited.',
  },
  {
    class: 'throttled',
    enhanced: /^[45]\.4\.5$/,
    text: /daily\b.{0,40}\b(?:quota|limit)/i,
    provider: 'gmail',
    effect: { action: 'rest', scope: 'transport', durationMs: hourMs },
    retryAfterMs: hourMs,
    source: 'Gmail SMTP errors 5.4.5: of the account that sends through smtp.gmail.com',
    example: '550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits',
  },
  {
    class: 'policy',
    text: /unsolicited mail|likely (?:suspicious|unsolicited)/i,
    effect: { action: 'pause_sender', scope: 'sender', durationMs: hourMs },
    provider: 'gmail',
    source: 'Gmail SMTP errors 5.7.1; KumoMTA community shaping: 1 h after several',
    example:
      '550-5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /relay (?:recipient |sending )?limit exceeded/i,
    effect: { action: 'rest', scope: 'transport', durationMs: hourMs },
    provider: 'gmail',
    retryAfterMs: hourMs,
    source: 'Gmail SMTP errors 4.2.1: SMTP relay service, limits of the customer',
    example: '450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.',
  },
];
