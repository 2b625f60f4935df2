/** Which errors a route may answer by what it takes; and by what its handler throws. */
import { type ErrorCode, errorKinds } from '../errors.ts';
import type { Route } from './route.ts';

export function errorsByStatus(
  route: Route,
): readonly (readonly [status: number, codes: readonly ErrorCode[]])[] {
  const codes = errorsOf(route);
  const statuses = [...new Set(codes.map((code) => errorKinds[code].status))].sort();
  return statuses.map((status) => [status, codes.filter((code) => errorKinds[code].status === status)]);
}

function errorsOf(route: Route): ErrorCode[] {
  const { access, params, body, rawBody, idempotent, ifMatch, problems = [] } = route;
  const when = (condition: unknown, ...codes: ErrorCode[]) => (condition ? codes : []);
  const codes: ErrorCode[] = [
    ...when(access !== 'public', 'unauthenticated', 'forbidden'),
    'invalid_query',
    ...when(params, 'not_found'),
    ...when(body, 'malformed_json', 'malformed_body', 'invalid_request'),
    ...when(body || rawBody, 'payload_too_large', 'unsupported_media_type'),
    ...when(idempotent, 'idempotency_key_missing', 'idempotency_in_progress', 'idempotency_mismatch'),
    ...when(ifMatch, 'precondition_required', 'precondition_failed'),
    'rate_limited',
    'internal',
    'unavailable',
    ...problems,
  ];
  return [...new Set(codes)];
}
