/**
 * The order in which a refusal's meaning is looked for; the first row that matches decides.
 *
 * Enhanced codes are the rule; before them come only wordings known to contradict theirs, after them words for replies whose
 * codes say little, and the reply code at last. The last two rows match every 4yz and 5yz.
 */
import type { ReplyRule } from './reply-rule.ts';
import { enhancedCodeRules, lastRules } from './reply-rules-code.ts';
import { providerRules } from './reply-rules-provider.ts';
import { plainWordRules, vagueCodeRules } from './reply-rules-text.ts';

export const replyRules: readonly ReplyRule[] = [
  ...providerRules,
  ...plainWordRules,
  ...enhancedCodeRules,
  ...vagueCodeRules,
  ...lastRules,
];
