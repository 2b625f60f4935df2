/**
 * What a server's words about a failure mean. The words are judged by the same tables as replies to ourselves
 * (`transports/classify-reply.ts`), so that a bounce by mail and one in the dialogue suppress alike.
 */

import { classifyReply } from '../transports/classify-reply.ts';
import type { Reply } from '../transports/contract.ts';
import { cleanText, parseReply } from '../transports/reply-text.ts';
import type { FailedReport } from './report.ts';

export interface FailureText {
  /** RFC 3463, as `5.1.1`, from the Status field. */
  readonly status?: string | undefined;
  /** The remote server's reply, or what stands around it. */
  readonly text: string;
}

export function readFailure({ status, text }: FailureText): FailedReport {
  const words = hideAddresses(text.slice(0, 4_000));
  const reply = findReply(words);
  const enhanced = chooseStatus([reply.enhanced, status, qmailStatus.exec(words)?.[1]]);
  // Where no reply is quoted, none may decide: these two codes leave it to the status and the words.
  const code = reply.code || (enhanced?.startsWith('4') ? 450 : 500);
  return {
    kind: 'failed',
    verdict: classifyReply({ code, text: reply.text, ...(enhanced && { enhanced }) }, 'rcpt'),
    replyCode: reply.code,
    reason: `${enhanced ?? ''} ${reply.text}`.trim().slice(0, 240),
  };
}

/** qmail puts the status into its own words: "Sorry, no mailbox here by that name. (#5.1.1)". */
const qmailStatus = /\(#([45]\.\d{1,3}\.\d{1,3})\)/;

/** Servers quote addresses, ours among them, whose local part is a token: the ledger holds neither (DESIGN 4). */
function hideAddresses(text: string): string {
  return text.replace(/[^\s<>()[\]"',;:@]{1,128}@[^\s<>()[\]"',;:@]{1,255}/g, '***');
}

/** `550 5.1.1 ` anywhere; without an enhanced code only where a reply begins: a line, or behind "said: " and the like. */
const quotedReply = /\b[45]\d\d[ -]['"]?#?[45]\.\d{1,3}\.\d{1,3}\b|(?<=^|[\])>]: |said: )[45]\d\d(?=[ -])/m;

function findReply(text: string): Reply {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .join('\n');
  const whole = parseReply(lines);
  if (whole.code !== 0) return whole;
  const at = quotedReply.exec(lines)?.index;
  return at === undefined ? { code: 0, text: cleanText(lines) } : parseReply(lines.slice(at));
}

/** The remote server knows best; but x.0.0 says nothing, so another source may say more. */
function chooseStatus(found: readonly (string | undefined)[]): string | undefined {
  return found.find((status) => status !== undefined && !status.endsWith('.0.0')) ?? found.find(Boolean);
}
