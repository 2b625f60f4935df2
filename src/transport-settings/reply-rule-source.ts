/**
 * The rules of transports' owners, as send workers ask for them: compiled, in memory, looked at each second. A changed rule holds in every worker
 * within two seconds; while MySQL is away, the last ones stand.
 *
 * A tenant's transport is judged by the tenant's rules, then by the installation's; the platform's transports by the installation's alone,
 * for many tenants share them and what one of them thinks of a reply must not slow the others.
 */
import type { Lifecycle } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import type { Sql } from '../platform/mysql.ts';
import { StampedCache } from '../platform/stamped-cache.ts';
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

const refreshMs = 1_000;
const mostOwners = 10_000;

export function createReplyRuleSource({ db, log }: { readonly db: Sql; readonly log: Log }): ReplyRuleSource {
  const known = new StampedCache<RuleOwner, readonly ReplyRule[]>({
    max: mostOwners,
    readStamps: (owners) => readRuleStamps(db, owners),
    read: async (owner) => (await listReplyRules(db, owner)).map(compileReplyRule),
  });
  /** Both lists in one, made anew when either was read anew. */
  const joined = new WeakMap<
    readonly ReplyRule[],
    { base: readonly ReplyRule[]; all: readonly ReplyRule[] }
  >();

  function rulesOf(owner: TransportOwner): readonly ReplyRule[] {
    const base = known.get(installation) ?? [];
    const own = owner === null ? undefined : known.get(owner);
    if (!own || own.length === 0) return base;
    const before = joined.get(own);
    if (before?.base === base) return before.all;
    const all = [...own, ...base];
    joined.set(own, { base, all });
    return all;
  }

  const pass = async () => {
    await known.refresh();
    return 'idle' as const;
  };
  const loop = createLoop({ name: 'reply-rules', log, idleMs: refreshMs, pass });
  return {
    start: () => loop.start(),
    stop: () => loop.stop(),
    refresh: () => known.refresh(),
    rulesOf,
    async watch(owner) {
      const wanted: RuleOwner[] = owner === null ? [installation] : [installation, owner];
      await Promise.all(wanted.map((one) => known.load(one)));
    },
  };
}
