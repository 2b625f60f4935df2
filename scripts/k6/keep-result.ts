/** A run's result: k6's summary under a head that says what was run, where, and how busy that machine was. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunHead {
  readonly scenario: string;
  readonly command: string;
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  /** Of one, five and fifteen minutes: before the run, and at its end with its own part. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  /** `passed`, `thresholds crossed`, or how k6 ended. */
  readonly verdict: string;
  /** By the sink's own count; undefined for an installation that has one of its own. */
  readonly acceptedBySink: number | undefined;
  /** Of the campaigns that were read, which are all of up to 600. Undefined where nothing is sent. */
  readonly sentByLedger: number | undefined;
}

/** From k6's summary. */
export function readSent(summary: string): number | undefined {
  const { metrics } = JSON.parse(readFileSync(`${summary}.json`, 'utf8'));
  return metrics['recipients{state:sent}']?.values.count;
}

/** `summary`: what k6 wrote, without an ending. Answers the text's path. Worse results are kept, too. */
export function keepResult(head: RunHead, summary: string, folder = 'load-tests/results'): string {
  mkdirSync(folder, { recursive: true });
  const name = `k6-${head.scenario}-${head.at.slice(0, 16).replace(':', '')}-${head.commit}`;
  const path = join(folder, name);
  const figures = JSON.parse(readFileSync(`${summary}.json`, 'utf8'));
  writeFileSync(`${path}.json`, `${JSON.stringify({ ...head, ...figures }, null, 2)}\n`);
  writeFileSync(`${path}.txt`, `${formatHead(head)}\n${readFileSync(`${summary}.txt`, 'utf8')}`);
  return `${path}.txt`;
}

export function formatHead(head: RunHead): string {
  const load = (values: readonly number[]) => values.map((value) => value.toFixed(1)).join(' ');
  const rows = [
    ['scenario', head.scenario],
    ['verdict', head.verdict],
    ['command', head.command],
    ['machine', head.machine],
    ['load', `${load(head.loadBefore)} before, ${load(head.loadAfter)} at the end (1, 5, 15 minutes)`],
    ['commit', head.commit],
    ['at', head.at],
  ];
  const { acceptedBySink, sentByLedger } = head;
  if (acceptedBySink !== undefined && sentByLedger !== undefined)
    rows.push(['sink', `accepted ${acceptedBySink} messages; by the ledger ${sentByLedger} are sent`]);
  return `${rows.map(([name = '', text]) => `${name.padEnd(10)}${text}`).join('\n')}\n`;
}
