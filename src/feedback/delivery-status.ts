/** Delivery status notifications: the machine-readable part of a bounce (RFC 3464). Pure. */
import { readFailure } from './failure.ts';
import { type Fields, readFieldBlocks } from './field-blocks.ts';
import type { Report } from './report.ts';

/**
 * One message has one recipient here, so several blocks mean that it was passed on to several. Whoever got it counts
 * most: an address behind which one mailbox works must not be called dead.
 */
export function readDeliveryStatus(text: string): Report {
  const recipients = readFieldBlocks(text).filter((fields) => fields.has('action'));
  const actions = recipients.map(actionOf);
  if (actions.some((action) => goodActions.includes(action))) return { kind: 'delivered' };
  const failed = recipients[actions.indexOf('failed')];
  if (failed) return readFailure({ status: statusOf(failed), text: diagnosticOf(failed) });
  return { kind: actions.includes('delayed') ? 'delayed' : 'unrecognised' };
}

/** `relayed` and `expanded`: it went on to where no report comes from, or to a list's members (RFC 3464 2.3.3). */
const goodActions = ['delivered', 'relayed', 'expanded'];

function actionOf(fields: Fields): string {
  return /^[a-z]+/i.exec(fields.get('action') ?? '')?.[0].toLowerCase() ?? '';
}

/** Some write a comment behind it: `5.1.1 (bad destination mailbox address)`. */
function statusOf(fields: Fields): string | undefined {
  return /^([245]\.\d{1,3}\.\d{1,3})\b/.exec(fields.get('status') ?? '')?.[1];
}

/** Without its type (`smtp;`, `x-unix;`): what follows is read for what it is. */
function diagnosticOf(fields: Fields): string {
  return (fields.get('diagnostic-code') ?? '').replace(/^[\w-]{1,40}\s*;\s*/, '');
}
