/**
 * Patterns that tenants write: plain text in any case, and `*` for any run of characters. Not regular expressions: those can be written
 * so that one reply keeps a send worker busy for minutes. This takes as many steps as text times parts, at most.
 */
import type { ReplyPattern } from './reply-rule.ts';

/** `contains`: anywhere in the text. `whole`: all of it, from its beginning to its end. */
export function wildcardPattern(source: string, where: 'contains' | 'whole'): ReplyPattern {
  const parts = source.toLowerCase().split('*');
  const isOpen = where === 'contains';
  return {
    source,
    test: (text) => matchParts(text.toLowerCase(), isOpen ? ['', ...parts, ''] : parts),
  };
}

/** The first part begins the text and the last one ends it; those between follow each other, each as early as it can: no part is ever tried again. */
function matchParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
