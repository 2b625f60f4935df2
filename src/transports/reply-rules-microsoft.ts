/** Outlook.com and Exchange Online: their postmaster pages and lists of NDRs, read 2025 and 2026. */
import type { ReplyRule } from './reply-rule.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const microsoftRules: readonly ReplyRule[] = [
  {
    class: 'throttled',
    text: /rate limited due to IP reputation/i,
    effect: { action: 'rest', scope: 'destination', durationMs: 10 * minuteMs },
    provider: 'microsoft',
    source: 'Outlook.com postmaster; 4.7.650; KumoMTA community shaping suspends for 30 min after three',
    example:
      '451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775)',
  },
  {
    class: 'throttled',
    text: /server busy/i,
    code: [400, 499],
    provider: 'microsoft',
    source: 'Exchange Online NDR 4.7.500',
    example: '451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)',
  },
  {
    class: 'throttled',
    text: /concurrent (?:server |smtp )?connections|exceeded (?:the )?maximum number of connections|sender thread limit exceeded/i,
    provider: 'microsoft',
    source: 'Exchange Online NDR 4.3.2; Outlook.com IB007; Amazon SES SMTP 421',
    example: '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded',
  },
  {
    class: 'throttled',
    enhanced: /^5\.1\.90$/,
    effect: { action: 'rest', scope: 'transport', durationMs: hourMs },
    provider: 'microsoft',
    retryAfterMs: hourMs,
    source: 'Exchange Online NDR 5.1.90: daily recipient limit',
    example:
      "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
  },
  {
    class: 'address',
    enhanced: /^5\.4\.1$/,
    text: /recipient address rejected: access denied/i,
    provider: 'microsoft',
    source: 'Exchange Online NDR 5.4.1: directory based edge blocking',
    example: '550 5.4.1 Recipient address rejected: Access denied. AS(201806281)',
  },
  {
    class: 'address',
    enhanced: /^5\.5\.0$/,
    text: /mailbox unavailable/i,
    provider: 'microsoft',
    source: 'Outlook.com postmaster: unknown user',
    example: '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).',
  },
  {
    class: 'policy',
    text: /part of their network is on our block ?list|\(S3140\)|\(S3150\)/i,
    provider: 'microsoft',
    source: 'Outlook.com postmaster: 5.7.1 S3140, S3150',
    example:
      "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
  },
  {
    class: 'transient',
    enhanced: /^[45]\.2\.12[12]$/,
    provider: 'microsoft',
    retryAfterMs: hourMs,
    source: "Exchange Online NDR 5.2.121, 5.2.122: the recipient's hourly limit",
    example:
      '550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour',
  },
  {
    // One mailbox's own limits: everybody else's mail goes on.
    class: 'transient',
    text: /recipient thread limit exceeded|recipient'?s? (?:has exceeded|exceeded|per-hour|message receive)/i,
    provider: 'microsoft',
    source: 'Exchange Online NDR 4.3.2: many messages to one mailbox at once',
    example: '432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded',
  },
];
