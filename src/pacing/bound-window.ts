/** The window that holds in the end, and the rule that binds it. Pure. */
import { floorAtRate, mostAtRate, targetOf } from './learn-window.ts';
import type { DestinationLimits, LimitingRule } from './pace.ts';
import type { PaceState } from './pace-state.ts';

export interface BoundWindow {
  readonly windowMessages: number;
  readonly limitedBy: LimitingRule;
}

/** From this part of a rate on it is the rate that holds it back, whatever the window. */
const isUsedFrom = 0.8;

export function boundWindow(state: PaceState, limits: DestinationLimits, ceiling: number): BoundWindow {
  const { breaker } = state;
  if (breaker.kind === 'open') return { windowMessages: 0, limitedBy: breaker.reason };
  const open = breaker.kind === 'half_open' ? probing(breaker.messages) : flowing(state, limits, ceiling);
  const { perDay = Number.POSITIVE_INFINITY } = limits;
  if (perDay > open.windowMessages) return open;
  return { windowMessages: Math.max(0, Math.floor(perDay)), limitedBy: 'quota' };
}

function probing(messages: number): BoundWindow {
  return { windowMessages: messages, limitedBy: 'breaker' };
}

function flowing(state: PaceState, limits: DestinationLimits, ceiling: number): BoundWindow {
  const learnt = state.rate?.perSecond ?? Number.POSITIVE_INFINITY;
  const configured = limits.perSecond ?? Number.POSITIVE_INFINITY;
  const most = mostAtRate(Math.min(learnt, configured));
  const messages = Math.min(state.window.messages, most, ceiling);
  return { windowMessages: Math.max(1, Math.floor(messages)), limitedBy: ruleOf() };

  function ruleOf(): LimitingRule {
    if (messages >= most || state.measuredPerSecond >= isUsedFrom * Math.min(learnt, configured)) {
      return learnt < configured ? 'learnt_rate' : 'configured_rate';
    }
    return messages >= ceiling ? 'ceiling' : ruleOfWindow(state);
  }
}

/** Only a window that is used up limits anything. */
function ruleOfWindow({ window, measuredPerSecond, rate }: PaceState): LimitingRule {
  if (window.restoreTo !== undefined) return 'growing';
  if (window.saturatedSinceMs === undefined) return 'none';
  const target = targetOf(measuredPerSecond);
  if (target > window.messages) return 'growing';
  return window.messages <= floorAtRate(rate?.perSecond) ? 'slow' : 'none';
}
