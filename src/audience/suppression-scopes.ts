/**
 * Which suppressions hold for an audience: those for everything, and its list's own when it goes to just one. (Of two lists, someone may have left one and
 * want the other.) The one rule of estimate, intent and unsubscribe link. Pure.
 */
import type { ListId } from '../ids.ts';

interface Audience {
  readonly includedLists: readonly number[];
}

export function suppressionScopesOf(audience: Audience): readonly string[] {
  const list = onlyListOf(audience);
  return list === undefined ? ['*'] : ['*', `list:${list}`];
}

/** The list, when it goes to just one: unsubscribing from it then leaves the others. */
export function onlyListOf({ includedLists: [only, ...others] }: Audience): ListId | undefined {
  return only !== undefined && others.length === 0 ? (only as ListId) : undefined;
}
