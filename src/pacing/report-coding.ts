/**
 * Reports on their way from workers to the leader, as short as JSON can be: one line per worker and flush. The first number is the
 * version: a line of another release is skipped, which costs a quarter of a second of learning.
 */
import { z } from 'zod';
import { notedReplies, type PaceReport } from './pace.ts';

export interface ReportLine {
  readonly owner: string;
  readonly reports: readonly PaceReport[];
}

const version = 1;
const count = z.number().nonnegative();
const noted = z.tuple([z.number(), z.string().max(400), z.string().max(60)]);
const line = z.tuple([
  z.literal(version),
  z.string().max(200),
  z.array(
    z.tuple([
      z.int().nonnegative(),
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      count,
      z.array(noted).max(notedReplies),
    ]),
  ),
]);

export function encodeReports({ owner, reports }: ReportLine): string {
  return JSON.stringify([version, owner, reports.map(toRow)] satisfies z.input<typeof line>);
}

function toRow(report: PaceReport): z.input<typeof line>[2][number] {
  return [
    report.destinationId,
    report.accepted,
    report.refused,
    report.throttled,
    report.timedOut,
    report.opened,
    report.openFailures,
    report.restMs,
    report.inFlight,
    report.connections,
    report.replies.map(({ code, text, class: replyClass }) => [code, text, replyClass]),
  ];
}

/** Undefined: not a line of ours. */
export function decodeReports(text: string): ReportLine | undefined {
  const parsed = line.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const [, owner, rows] = parsed.data;
  return { owner, reports: rows.map(toReport) };
}

function toReport(row: z.output<typeof line>[2][number]): PaceReport {
  const [destinationId, accepted, refused, throttled, timedOut, opened, openFailures, restMs] = row;
  const [, , , , , , , , inFlight, connections, replies] = row;
  return {
    destinationId,
    accepted,
    refused,
    throttled,
    timedOut,
    opened,
    openFailures,
    restMs,
    inFlight,
    connections,
    replies: replies.map(([code, text, replyClass]) => ({ code, text, class: replyClass })),
  };
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
