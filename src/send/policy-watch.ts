/**
 * When do refusals for policy mean the sending domain, and not one message? When several come and they are a fair part of all
 * that was tried of that domain lately. Pure but for its own counts; one for each destination.
 */
export interface PolicyWatch {
  /** Something of this domain was answered; true when the domain should rest now. */
  answered(domain: string, isRefusedForPolicy: boolean, nowMs: number): boolean;
}

const windowMs = 60_000;
const leastRefusals = 3;
/** One in twenty: a single odd message among many is bounced, and pauses nobody. */
const leastShare = 0.05;
const mostDomains = 1_000;

interface Counts {
  since: number;
  answers: number;
  refusals: number;
}

export function createPolicyWatch(): PolicyWatch {
  const domains = new Map<string, Counts>();

  function countsOf(domain: string, nowMs: number): Counts {
    const known = domains.get(domain);
    if (known && nowMs - known.since < windowMs) return known;
    if (domains.size >= mostDomains) domains.clear();
    const fresh = { since: nowMs, answers: 0, refusals: 0 };
    domains.set(domain, fresh);
    return fresh;
  }

  return {
    answered(domain, isRefusedForPolicy, nowMs) {
      const counts = countsOf(domain, nowMs);
      counts.answers++;
      if (!isRefusedForPolicy) return false;
      counts.refusals++;
      const isPause = counts.refusals >= leastRefusals && counts.refusals >= leastShare * counts.answers;
      if (isPause) domains.delete(domain);
      return isPause;
    },
  };
}
