/** Apple, Comcast, Orange, GMX and WEB.DE, and a filter that many run: their postmaster pages and KumoMTA's shaping rules, read 2025 and 2026. */
import type { ReplyRule } from './reply-rule.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const regionalRules: readonly ReplyRule[] = [
  {
    class: 'throttled',
    code: [400, 499],
    text: /\[(?:HCM1|BS02|HME1)\]/,
    effect: { action: 'rest', scope: 'destination', durationMs: 15 * minuteMs },
    provider: 'apple',
    source: 'KumoMTA community shaping: 15 min',
    example: '451 4.7.1 [HCM1] Your mail from 192.0.2.1 was deferred due to unusual volume',
  },
  {
    class: 'policy',
    text: /\[(?:HM|CS)\d{2}\]/,
    effect: { action: 'pause_sender', scope: 'sender', durationMs: hourMs },
    provider: 'apple',
    source: 'iCloud Mail postmaster',
    example: '554 5.7.1 [HM08] Message rejected due to local policy. See https://support.apple.com/102322',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /\bRL000010\b/,
    effect: { action: 'pause_sender', scope: 'sender', durationMs: 5 * minuteMs },
    provider: 'comcast',
    source: 'Comcast postmaster: the domain is throttled; KumoMTA shaping: 5 min',
    example:
      '421 4.1.0 192.0.2.1 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000010',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /\bRL0000\d\d\b|^\S{0,60} ?throttled - try again later/i,
    provider: 'comcast',
    source: 'Comcast postmaster: RL000001 to RL000009, rates of the IP address',
    example:
      '421 4.1.0 192.0.2.1 Throttled - try again later. Please see http://postmaster.comcast.net/smtp-error-codes.php#RL000003',
  },
  {
    class: 'policy',
    text: /\b(?:BL|DM|PH|ES|SC)0000\d\d\b/,
    provider: 'comcast',
    source: 'Comcast postmaster: block lists, DMARC, phishing, residential addresses',
    example:
      '554 5.7.1 192.0.2.1 blocked. Please see http://postmaster.comcast.net/smtp-error-codes.php#BL000001',
  },
  {
    class: 'address',
    enhanced: /^5\.1\.0$/,
    text: /^address rejected/i,
    provider: 'cisco',
    source: 'Cisco Secure Email (IronPort): unknown recipient',
    example: '550 #5.1.0 Address rejected.',
  },
  {
    class: 'throttled',
    text: /trop de connexions|OFR_?004|OFR_?999/i,
    provider: 'orange',
    source: 'Orange postmaster; KumoMTA shaping: 2 connections',
    example:
      '421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR_004 [104]',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /service refus[eé]|OFR_?(?:00[1-35-9]|10[0-8])\b/i,
    effect: { action: 'rest', scope: 'destination', durationMs: 15 * minuteMs },
    provider: 'orange',
    source: 'Orange postmaster; KumoMTA community shaping suspends for 1 h after two',
    example:
      '421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. service refused, please try later. OFR_005 [105]',
  },
  {
    class: 'policy',
    text: /OFR_?(?:5\d\d|109)\b/i,
    provider: 'orange',
    source: 'Orange postmaster',
    example: '550 5.2.0 Mail rejete. Mail rejected. OFR_506 [506]',
  },
  {
    class: 'policy',
    text: /bad dns ptr|nemesis ESMTP service not available/i,
    provider: 'gmx',
    source: 'GMX and WEB.DE postmaster',
    example:
      '554 gmx.net (mxgmx017) Nemesis ESMTP Service not available; No SMTP service; Bad DNS PTR resource record.',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /reject due to policy (?:restrictions|violations)/i,
    provider: 'gmx',
    source: 'GMX and WEB.DE postmaster; KumoMTA community shaping: a message a minute for 1 h',
    example:
      '421 gmx.net (mxgmx117) Reject due to policy violations. For explanation visit https://postmaster.gmx.net/en/error-messages',
  },
  {
    class: 'policy',
    code: [500, 599],
    text: /reject due to policy (?:restrictions|violations)/i,
    effect: { action: 'pause_sender', scope: 'sender', durationMs: hourMs },
    provider: 'gmx',
    source:
      'GMX and WEB.DE postmaster: often one message; KumoMTA community shaping suspends for 2 h after several',
    example:
      '554 web.de (mxweb012) Reject due to policy restrictions. For explanation visit https://postmaster.web.de/en/error-messages',
  },
  {
    class: 'throttled',
    code: [400, 499],
    text: /rate limit reached/i,
    provider: 'gmx',
    source: 'GMX and WEB.DE postmaster: too many messages in a short time',
    example: '421 gmx.net (mxgmx014) Rate limit reached. Please try again later',
  },
];
