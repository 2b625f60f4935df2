/**
 * What one message costs. Measured figures are those of load-tests/results; what was not measured here is named an assumption.
 *
 * CPU per message was measured with 10 KB and 40 KB; the day is played with 33 KB, the median of 25 official MJML templates, on the line between them.
 */
const playedKilobytes = 33;

function between(at10Kilobytes: number, at40Kilobytes: number): number {
  return at10Kilobytes + ((playedKilobytes - 10) / 30) * (at40Kilobytes - at10Kilobytes);
}

/** µs of CPU a message, at 10 KB and at 40 KB: bench-2026-11-21T1518-45b9a6a.txt. */
export const measuredMicroseconds = {
  render: [64, 108],
  send: [91, 132],
  /** One BullMQ job per recipient, nodemailer's pool and one UPDATE each. */
  jobPerRecipient: [2_507, 4_810],
} as const;

/** µs of CPU a message. */
export const cpuMicroseconds = {
  render: between(...measuredMicroseconds.render),
  send: between(...measuredMicroseconds.send),
  jobPerRecipient: between(...measuredMicroseconds.jobPerRecipient),
} as const;

/** Assumption: a worker has one core, and is to use so much of it. */
const usedPart = 0.7;

export function perSecondAndWorker(microseconds: number): number {
  return (usedPart * 1e6) / microseconds;
}

export const redisCosts = {
  /** A message of the bench's template at 33 KB as `encodedSize` has it. */
  renderedBytes: 744,
  /** queue-costs-2026-11-21T0843.txt; a grant's job carries a few numbers more. */
  jobBytes: 300,
  segmentBytes: playedKilobytes * 1_024,
  /** The same file: Redis's one thread, a job per recipient from adding to its end, and a visit to an empty queue. */
  jobMicroseconds: 50.2,
  emptyVisitMicroseconds: 11.8,
} as const;

/** Statements, counted in the code: S1 by hundreds; per grant render 3, claim 1, end 7; per group of 64 one intent and one outcome. */
export const statements = {
  perGrant: 11,
  perGroup: 2,
  groupMessages: 64,
  perPage: 18,
  perPass: 6,
  passesPerSecond: 20,
  /** A job per recipient: take it, write the outcome, and as much again for reading the recipient. */
  perNaiveAttempt: 3,
} as const;

/** DESIGN 9's budget on two cores. */
export const expandedPerSecond = 50_000;
/** Assumptions: the other side's time for a message over a connection that is open, and a time-out. */
export const replySeconds = 0.25;
export const timeoutSeconds = 30;
/** Assumption: from the decision for a worker until it works. */
export const workerStartMs = 45_000;

/**
 * Statements a second that a cell's MySQL does with so many of them under way: Gunther's universal scalability law. Assumption: the figures are those of a
 * 16-core server whose throughput peaks at 400 at once; only the shape matters here.
 */
export function databasePerSecond(concurrency: number): number {
  const n = Math.max(1, concurrency);
  return (300 * n) / (1 + 0.0005 * (n - 1) + 6.25e-6 * n * (n - 1));
}
