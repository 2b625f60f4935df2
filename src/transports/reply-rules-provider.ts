/**
 * Wordings that mean more, or something else, than their codes. They are asked first: Gmail sends 4.2.1, which by the
 * book is a disabled mailbox, for "too quickly". Texts as published by the providers or kept in KumoMTA's shaping and
 * bounce rules, read in 2025 and 2026; a provider that changes its words falls back to the codes.
 */
import type { ReplyRule } from './reply-rule.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const providerRules: readonly ReplyRule[] = [
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
    class: 'throttled',
    text: /receiving mail (?:too quickly|at a rate that prevents)/i,
    provider: 'gmail',
    source: 'Gmail SMTP errors 4.2.1, 5.2.1',
    example:
      '450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.',
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
    retryAfterMs: hourMs,
    source: 'Gmail SMTP errors 5.4.5',
    example: '550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits',
  },
  {
    class: 'policy',
    text: /unsolicited mail|likely (?:suspicious|unsolicited)/i,
    provider: 'gmail',
    source: 'Gmail SMTP errors 5.7.1',
    example:
      '550-5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.',
  },
  {
    class: 'throttled',
    text: /\[?TSS?04\]?\b/,
    provider: 'yahoo',
    retryAfterMs: 2 * hourMs,
    source: 'Yahoo SMTP error codes; KumoMTA shaping suspends for 2 h',
    example:
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes',
  },
  {
    class: 'policy',
    text: /\[(?:TS03|BL2[0-9]|PH0[0-9]|IPTS0[0-9])\]/,
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
  {
    class: 'throttled',
    text: /rate limited due to IP reputation/i,
    provider: 'microsoft',
    source: 'Outlook.com postmaster; 4.7.650',
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
    text: /concurrent (?:server |smtp )?connections/i,
    provider: 'microsoft',
    source: 'Exchange Online NDR 4.3.2; Amazon SES SMTP 421',
    example: '432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded: concurrent connections limit',
  },
  {
    class: 'throttled',
    enhanced: /^5\.1\.90$/,
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
    class: 'policy',
    text: /\[(?:HM|CS)\d{2}\]/,
    provider: 'apple',
    source: 'iCloud Mail postmaster',
    example: '554 5.7.1 [HM08] Message rejected due to local policy. See https://support.apple.com/102322',
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
    text: /daily (?:message|sending) quota exceeded/i,
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
