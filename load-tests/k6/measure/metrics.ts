/** What k6 doesn't measure by itself; all of it read from the API. */
import { Counter, Gauge, Trend } from 'k6/metrics';

/** From due to the first outcome of any of a campaign's messages, in ms. */
export const timeToFirstAttempt = new Trend('time_to_first_attempt', true);
/** From due to completed, in ms. */
export const drainTime = new Trend('drain_time', true);
/** From due to started by the scheduler, in ms. */
export const startLag = new Trend('start_lag', true);

export const campaignsSent = new Counter('campaigns_sent');
/** Not over when the time for that was. */
export const campaignsUnfinished = new Counter('campaigns_unfinished');
/** Recipients by what became of them (tag `state`). */
export const recipients = new Counter('recipients');
export const messagesInDoubt = new Counter('messages_in_doubt');
/** Over the seconds in which any campaign was under way. */
export const messagesPerSecond = new Gauge('messages_per_second');

/** Jain's index of how fast campaigns went, each against an even share for all: 1 is even. */
export const fairnessJain = new Gauge('fairness_jain');
/** The small tenants' p95 of the time to the first attempt over that of the largest; below a second counts as one. */
export const fairnessSmallOverLarge = new Gauge('fairness_small_over_large');

/** As the scaling signal says, while the run lasts (tag `pool`). */
export const liveWorkers = new Trend('live_workers');
export const sendableMessages = new Trend('sendable_messages');
/** Findings of `/v1/campaigns/{id}/pace` about the largest campaign (tag `rule`). */
export const paceFindings = new Counter('pace_findings');

/** From the first byte sent to the import done. */
export const importTime = new Trend('import_time', true);
export const importRowsPerSecond = new Trend('import_rows_per_second');

/** The p95 of the drain time in the last third of a run over that in the first. */
export const drainDrift = new Gauge('drain_drift');
