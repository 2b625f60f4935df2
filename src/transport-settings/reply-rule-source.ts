/**
 * The rules of transports' owners, as send workers ask for them: compiled, in memory, looked at each second. A changed rule holds in every worker
 * within two seconds; while MySQL is away, the last ones stand.
 *
 * A tenant's transport is judged by the tenant's rules, then by the installation's; the platform's transports by the installation's alone,
 * for many tenants share them and what one of them thinks of a reply must not slow the others.
 */
import { LRUCache } from 'lru-cache';
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/mysql.ts';
import type { ReplyRule } from '../transports/reply-rule.ts';
import { compileReplyRule } from './compile-reply-rule.ts';
import { installation, listReplyRules, type RuleOwner, readRuleStamps } from './reply-rule-store.ts';
import type { TransportOwner } from './transport-store.ts';

export interface ReplyRuleSource extends Lifecycle {
  /** Reads the owner's rules if they aren't known yet; to be awaited before its transport is opened. */
  watch(owner: TransportOwner): Promise<void>;
  /** As known now: sync and cheap, for each refusal. None of an owner that isn't watched. */
  rulesOf(owner: TransportOwner): readonly ReplyRule[];
  /** Looks for changes now. */
  refresh(): Promise<void>;
}

interface Known {
  /** Differs when anything of the owner's rules does. */
  readonly stamp: string;
  readonly rules: readonly ReplyRule[];
}

const refreshMs = 1_000;
const mostOwners = 10_000;
const ownersPerQuery = 500;

export function createReplyRuleSource({ db, log }: { readonly db: Sql; readonly log: Log }): ReplyRuleSource {
  const known = new LRUCache<RuleOwner, Known>({ max: mostOwners });
  /** Both lists in one, made anew when either was read anew. */
  const joined = new WeakMap<
    readonly ReplyRule[],
    { base: readonly ReplyRule[]; all: readonly ReplyRule[] }
  >();

  async function read(owner: RuleOwner, stamp: string): Promise<void> {
    const rules = await listReplyRules(db, owner);
    known.set(owner, { stamp, rules: rules.map(compileReplyRule) });
  }

  async function refreshSome(owners: readonly RuleOwner[]): Promise<void> {
    // Stamps first: rules that change in between are read anew the next time.
    const stamps = await readRuleStamps(db, owners);
    for (const owner of owners) {
      const stamp = stamps.get(owner) ?? 'none';
      if (known.peek(owner)?.stamp !== stamp) await read(owner, stamp);
    }
  }

  async function refresh(): Promise<void> {
    const owners = [...known.keys()];
    for (let at = 0; at < owners.length; at += ownersPerQuery)
      await refreshSome(owners.slice(at, at + ownersPerQuery));
  }

  function rulesOf(owner: TransportOwner): readonly ReplyRule[] {
    const base = known.get(installation)?.rules ?? [];
    const own = owner === null ? undefined : known.get(owner)?.rules;
    if (!own || own.length === 0) return base;
    const before = joined.get(own);
    if (before?.base === base) return before.all;
    const all = [...own, ...base];
    joined.set(own, { base, all });
    return all;
  }

  const pass = async () => {
    await refresh();
    return 'idle' as const;
  };
  const loop = createLoop({ name: 'reply-rules', log, idleMs: refreshMs, pass });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    refresh,
    rulesOf,
    async watch(owner) {
      const wanted: RuleOwner[] = owner === null ? [installation] : [installation, owner];
      const unknown = wanted.filter((one) => !known.has(one));
      if (unknown.length > 0) await refreshSome(unknown);
    },
  };
}
