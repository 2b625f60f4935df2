/**
 * Why a campaign is not faster, in words, most important first. Pure.
 *
 * What stops all of it comes first, and alone. Then, by how many of its messages each concerns, what stops or limits a part: a closed destination, a
 * pause, a rate. A rate for all of it counts only where it takes longer than the slowest destination. Last what slows nothing down by itself.
 */
import { type CampaignState, finalStates } from '../campaigns/campaign-state.ts';
import type { CampaignFacts } from './campaign-facts.ts';
import { explainDestination } from './explain-destination.ts';
import type { Finding } from './finding.ts';
import { count, inTime } from './words.ts';

export interface CampaignExplanation {
  readonly findings: readonly Finding[];
  /** It takes at least so long, s, at what is measured and allowed now; null: nobody can tell. */
  readonly secondsLeft: number | null;
}

export function explainCampaign(facts: CampaignFacts): CampaignExplanation {
  const stops = explainStop(facts);
  if (stops.length > 0) return { findings: stops, secondsLeft: longest(stops) };
  const atDestinations = facts.destinations.flatMap((one) => explainDestination(one, facts.untilMidnightMs));
  const rates = explainRates(facts, atDestinations);
  const parts = [...rates, ...atDestinations];
  return {
    findings: [...parts.sort(byImportance), ...explainRest(facts)],
    secondsLeft: longest(parts),
  };
}

/** Reasons for which nothing of it moves; the parts of the pipeline that are missing are told together. */
function explainStop(facts: CampaignFacts): readonly Finding[] {
  const state = explainState(facts);
  if (state) return [state];
  return explainFleet(facts);
}

function explainState(facts: CampaignFacts): Finding | undefined {
  const { state, isPaused, startsInMs, deadlineInMs } = facts;
  if (state === 'draft')
    return stop(facts, 'draft', 'It is a draft: nothing is sent before it is scheduled.');
  if (finalStates.includes(state)) return stop(facts, 'over', endOf(state));
  if (isPaused) return stop(facts, 'paused', 'It is paused: nothing is sent before it is resumed.');
  if (state === 'scheduled' && startsInMs !== null && startsInMs > 0) {
    const detail = `It is not due yet: it starts ${inTime(startsInMs)}.`;
    return { ...stop(facts, 'not_due', detail), seconds: startsInMs / 1_000 };
  }
  if (deadlineInMs !== null && deadlineInMs <= 0)
    return stop(facts, 'past_deadline', 'Its deadline is over: what is pending expires.');
  return undefined;
}

function endOf(state: CampaignState): string {
  return state === 'sent'
    ? 'It is sent: nothing is pending.'
    : `It is ${state}: nothing more is sent, and what was pending is being settled.`;
}

function explainFleet(facts: CampaignFacts): readonly Finding[] {
  const { state, isExpanded, fleet } = facts;
  const missing: Finding[] = [];
  if (!isExpanded && !fleet.hasScheduler)
    missing.push(stop(facts, 'no_scheduler', 'No scheduler is running: it is not started or expanded.'));
  if (!fleet.hasDispatcher)
    missing.push(stop(facts, 'no_dispatcher', 'No dispatcher is leading: nothing is handed out.'));
  if (!fleet.hasRenderWorker)
    missing.push(stop(facts, 'no_render_worker', 'No render worker is running: no message is made.'));
  if (!fleet.hasSendWorker)
    missing.push(stop(facts, 'no_send_worker', 'No send worker is running: no message leaves.'));
  if (missing.length === 0 && state === 'scheduled')
    return [stop(facts, 'starting', 'It is due: the scheduler starts it within seconds.')];
  return missing;
}

function stop({ pending }: CampaignFacts, rule: Finding['rule'], detail: string): Finding {
  return { rule, weight: 'stop', detail, pending };
}

/** A rate is no limit while a destination that is limited takes longer for its part than the rate does for all. */
function explainRates(facts: CampaignFacts, atDestinations: readonly Finding[]): readonly Finding[] {
  const { perMinute, tenantPerSecond, pending } = facts;
  const slowest = longest(atDestinations.filter(({ weight }) => weight !== 'note')) ?? 0;
  const stopped = sumOf(atDestinations.filter(({ weight }) => weight === 'stop'));
  const rate = (rule: Finding['rule'], perSecond: number, detail: string): Finding => {
    const seconds = pending / perSecond;
    const weight = seconds > slowest ? 'limit' : 'note';
    return { rule, weight, detail, pending: pending - stopped, seconds };
  };
  const rates: Finding[] = [];
  if (pending === 0) return rates;
  if (perMinute !== null)
    rates.push(
      rate('campaign_rate', perMinute / 60, `It is set to no more than ${count(perMinute)} a minute.`),
    );
  if (tenantPerSecond !== null) {
    const detail = `All your mail together is limited to ${count(tenantPerSecond)} a second.`;
    rates.push(rate('tenant_rate', tenantPerSecond, detail));
  }
  return rates;
}

function explainRest({ isExpanded, pending, inDoubt }: CampaignFacts): readonly Finding[] {
  const rest: Finding[] = [];
  if (!isExpanded) {
    const detail = 'Its audience is still being read: what is known of it is sent meanwhile.';
    rest.push({ rule: 'expanding', weight: 'note', detail, pending });
  }
  if (inDoubt > 0) {
    const detail = `${count(inDoubt)} may or may not have been accepted: the campaign’s policy settles that after a while.`;
    rest.push({ rule: 'in_doubt', weight: 'note', detail, pending: inDoubt });
  }
  return rest;
}

function byImportance(a: Finding, b: Finding): number {
  const isNote = ({ weight }: Finding) => (weight === 'note' ? 1 : 0);
  return isNote(a) - isNote(b) || b.pending - a.pending || (b.seconds ?? 0) - (a.seconds ?? 0);
}

function longest(findings: readonly Finding[]): number | null {
  const known = findings.map(({ seconds }) => seconds).filter((seconds) => seconds !== undefined);
  return known.length === 0 ? null : Math.max(...known);
}

function sumOf(findings: readonly Finding[]): number {
  return findings.reduce((sum, { pending }) => sum + pending, 0);
}
