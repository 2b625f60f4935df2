/** Strong entity tags from a row's version (RFC 9110, section 8.8.3), and the If-Match that guards an update. */
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../errors.ts';

/** `"v7"`: equal tags mean the same bytes, as every write raises the version. */
export function formatEtag(version: number): string {
  return `"v${version}"`;
}

/**
 * The versions that If-Match allows; `any` for `*`. A weak or foreign tag matches nothing, as strong comparison wants.
 * Throws `precondition_required` without the header.
 */
export function readIfMatch(headers: IncomingHttpHeaders): readonly number[] | 'any' {
  const text = headers['if-match'];
  if (text === undefined) {
    throw new AppError('precondition_required', {
      errors: [{ parameter: 'If-Match', detail: 'is missing' }],
    });
  }
  if (text.trim() === '*') return 'any';
  return text.split(',').flatMap((tag) => {
    const version = /^\s*"v(\d{1,10})"\s*$/.exec(tag)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}

/** Throws `precondition_failed` unless If-Match allows the version that is stored now. */
export function assertIfMatch(headers: IncomingHttpHeaders, version: number): void {
  const allowed = readIfMatch(headers);
  if (allowed === 'any' || allowed.includes(version)) return;
  throw new AppError('precondition_failed', {
    detail: `The stored version has the ETag ${formatEtag(version)}`,
  });
}
