/**
 * One row of the tables that say what a refusal means. The tables are data: a new wording is a new row with its example,
 * and `classify-reply.test.ts` checks that every example is caught by its own row.
 */
import type { ReplyClass, ReplyEffect } from './contract.ts';

/**
 * The rules of a transport's owner, first those that decide first; asked for at each refusal, so that a changed rule holds from the next
 * one on. Cheap and sync.
 */
export type OwnRules = () => readonly ReplyRule[];

/** A regular expression of ours, or wildcards of an owner's (`wildcard-pattern.ts`). */
export type ReplyPattern = Pick<RegExp, 'test' | 'source'>;

/** All of `code`, `enhanced` and `text` that are given must match. */
export interface ReplyRule {
  readonly class: ReplyClass;
  /** Reply codes, from and to. */
  readonly code?: readonly [number, number];
  /** Against the enhanced code alone, as `5.1.1`. */
  readonly enhanced?: ReplyPattern;
  /** Against the cleaned text without its codes. Linear patterns only: the other side writes the text. */
  readonly text?: ReplyPattern;
  /** What it does beyond its message, where that isn't its class's default (`reply-effect.ts`). */
  readonly effect?: ReplyEffect;
  /** Whose wording it is. */
  readonly provider?: string;
  /** How long the destination is known to want us away when it doesn't say so. Every such rest ends. */
  readonly retryAfterMs?: number;
  /** Where the meaning comes from. */
  readonly source: string;
  /** A reply as seen. */
  readonly example: string;
}
