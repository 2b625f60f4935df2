/** Abuse reports that providers send for people who press "spam" (ARF, RFC 5965). Pure. */
import { findDeliveryToken } from '../render/tokens.ts';
import { readFieldBlocks } from './field-blocks.ts';
import type { Report } from './report.ts';

/** `returned`: the message complained about, or its header, as the report encloses it. */
export function readComplaint(report: string, returned: string): Report {
  const fields = readFieldBlocks(report)[0];
  const type = fields?.get('feedback-type')?.toLowerCase() ?? '';
  if (!complaintTypes.includes(type)) return { kind: 'unrecognised' };
  const header = readFieldBlocks(returned)[0];
  const places = [fields?.get('original-mail-from'), header?.get('return-path'), header?.get('message-id')];
  return { kind: 'complaint', tokens: places.flatMap((place) => findDeliveryToken(place ?? '') ?? []) };
}

/**
 * What a person said. Not among them: `not-spam` (the opposite), `virus` (a scanner's word), `auth-failure` (RFC 6591,
 * about our signatures), `other`.
 */
const complaintTypes = ['abuse', 'fraud', 'opt-out', 'opt-out-list'];
