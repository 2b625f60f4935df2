/**
 * Wordings that mean more, or something else, than their codes. They are asked first: Gmail sends 4.2.1, which by the
 * book is a disabled mailbox, for "too quickly". Texts as published by the providers or kept in KumoMTA's shaping and
 * bounce rules, read in 2025 and 2026; a provider that changes its words falls back to the codes.
 */
import type { ReplyRule } from './reply-rule.ts';
import { gmailRules } from './reply-rules-gmail.ts';
import { microsoftRules } from './reply-rules-microsoft.ts';
import { regionalRules } from './reply-rules-regional.ts';
import { relayRules } from './reply-rules-relay.ts';
import { yahooRules } from './reply-rules-yahoo.ts';

export const providerRules: readonly ReplyRule[] = [
  ...gmailRules,
  ...yahooRules,
  ...microsoftRules,
  ...regionalRules,
  ...relayRules,
];
