/**
 * Bounces that only people were meant to read. Known forms alone: guessing at free text would suppress people for words
 * that their colleagues wrote. Pure.
 */
import { readFailure } from './failure.ts';
import type { FailedReport } from './report.ts';

export interface PlainMail {
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}

export function readPlainBounce(mail: PlainMail): FailedReport | undefined {
  const words = readQmail(mail) ?? readExim(mail);
  return words === undefined ? undefined : readFailure({ text: words });
}

/** QSBMF (cr.yp.to/proto/qsbmf.txt): "Hi. This is the …", then a paragraph per recipient that begins with its address. */
function readQmail({ text }: PlainMail): string | undefined {
  if (!/^\s{0,80}Hi\. This is the /.test(text)) return undefined;
  const [report = ''] = text.split(/^--- (?:Below this line|Enclosed)/m);
  const paragraph = report.split(/\r?\n\r?\n/).find((part) => /^\s{0,80}<[^>\n]{1,320}>:/.test(part));
  return paragraph && withoutFirstLine(paragraph);
}

/** Exim names whom it gave up on in a header; its warnings of delays don't have it. Versions before 4.86 send no DSN. */
function readExim({ header, text }: PlainMail): string | undefined {
  if (header('x-failed-recipients') === undefined) return undefined;
  const [report = ''] = text.split(/^-{4,}/m);
  const failed = report.split(/address\(es\) failed:\s*/, 2)[1];
  return failed === undefined ? '' : withoutFirstLine(failed);
}

/** The first line is the address. */
function withoutFirstLine(paragraph: string): string {
  return paragraph.trim().replace(/^[^\n]*\n?/, '');
}
