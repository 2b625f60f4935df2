/**
 * From a mail's bytes to what it reports. Pure. Anybody who has one of our messages can write to its return path, so
 * nothing here is believed beyond that one delivery: whom it is about is only ever said by a signed token.
 */
import PostalMime, { type Email } from 'postal-mime';
import { readComplaint } from './complaint.ts';
import { readDeliveryStatus } from './delivery-status.ts';
import { readPlainBounce } from './plain-bounce.ts';
import type { Report } from './report.ts';

export async function parseReport(raw: Uint8Array): Promise<Report> {
  const mail = await parseMail(raw);
  if (!mail) return { kind: 'unrecognised' };
  const status = findPart(mail, statusTypes);
  if (status !== undefined) return readDeliveryStatus(status);
  const feedback = findPart(mail, ['message/feedback-report']);
  if (feedback !== undefined) return readComplaint(feedback, findPart(mail, returnedTypes) ?? '');
  const header = (name: string) => mail.headers.find(({ key }) => key === name)?.value;
  // Reports are automatic too, and say so: hence only now.
  const bounce = readPlainBounce({ header, text: mail.text ?? '' });
  return bounce ?? { kind: isAutoReply(header) ? 'auto_reply' : 'unrecognised' };
}

/**
 * The parts are looked for, whatever is around them: gateways rewrap multipart/report into multipart/mixed. RFC 6533
 * has the `global` ones, for addresses that aren't ASCII.
 */
const statusTypes = ['message/delivery-status', 'message/global-delivery-status'];
const returnedTypes = ['message/rfc822', 'text/rfc822-headers', 'message/global', 'message/global-headers'];

/** A report has three parts and none of it is deep. What is made to be costly is not a report. */
const limits = { maxNestingDepth: 16, maxHeadersSize: 262_144 };

async function parseMail(raw: Uint8Array): Promise<Email | undefined> {
  try {
    // Enclosed messages stay closed: their parts would be taken for the report's.
    return await PostalMime.parse(cutShort(raw), {
      ...limits,
      forceRfc822Attachments: true,
      attachmentEncoding: 'utf8',
    });
  } catch {
    return undefined;
  }
}

/**
 * The parts of the report come first and the returned message last (RFC 6522 3), so what is cut off is the latter's body.
 * Lines are bounded because postal-mime 4.0.0 needs seconds for a megabyte of empty ones.
 */
function cutShort(raw: Uint8Array): Uint8Array {
  const cut = raw.subarray(0, mostBytes);
  let end = -1;
  for (let lines = 0; lines < mostLines; lines++) {
    end = cut.indexOf(lineFeed, end + 1);
    if (end < 0) return cut;
  }
  return cut.subarray(0, end);
}

const mostBytes = 262_144;
const mostLines = 10_000;
const lineFeed = 10;

function findPart(mail: Email, types: readonly string[]): string | undefined {
  const content = mail.attachments.find(({ mimeType }) => types.includes(mimeType))?.content;
  return typeof content === 'string' ? content : undefined;
}

/** RFC 3834 5; the others are older than it. */
function isAutoReply(header: (name: string) => string | undefined): boolean {
  const submitted = header('auto-submitted')?.trim().toLowerCase() ?? 'no';
  return submitted !== 'no' || autoReplyHeaders.some((name) => header(name) !== undefined);
}

const autoReplyHeaders = ['x-autoreply', 'x-autorespond', 'x-autoresponse'];
