/** Errors as RFC 9457 problem documents. Whatever is not an AppError is a bug or broken infrastructure: no word of it goes out. */
import { AppError, type FieldError } from '../errors.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly FieldError[];
}

/** More than anybody reads; a body of a thousand bad rows must not be answered with a megabyte. */
const maxErrors = 100;

export function toProblem(error: AppError, place: { instance: string; requestId: string }): Problem {
  const detail = detailOf(error);
  return {
    type: problemType(error.code),
    title: error.kind.title,
    status: error.kind.status,
    ...(detail && { detail }),
    instance: place.instance,
    code: error.code,
    request_id: place.requestId,
    ...(error.errors.length > 0 && { errors: error.errors.slice(0, maxErrors) }),
  };
}

/** Relative, so that it leads to the documentation of the very server that answered. */
function problemType(code: string): string {
  return `/docs#error-${code}`;
}

/** Any thrown value as an AppError, with the value as its cause. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof URIError) {
    return new AppError('not_found', { cause: error, detail: 'The path is not valid percent-encoded UTF-8' });
  }
  if (isOutage(error)) return new AppError('unavailable', { cause: error, retryAfterSeconds: 5 });
  return new AppError('internal', { cause: error });
}

function detailOf({ errors, detail }: AppError): string | undefined {
  if (errors.length <= maxErrors) return detail;
  return `${detail ?? 'Many fields are wrong'}; the first ${maxErrors} of ${errors.length} errors are shown`;
}

/** MySQL or Redis is away: refused, reset, timed out, or out of connections. */
function isOutage(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return outageCodes.has(String(code)) || name === 'MaxRetriesPerRequestError';
}

const outageCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
]);
