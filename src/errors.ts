/**
 * The one registry of errors: code, HTTP status, whether trying again may help, and what it means.
 * `docs/errors.md` is generated from it. Expected outcomes are values; an AppError is thrown where a caller broke the contract
 * of the API (a 4xx) or where infrastructure is broken (a 5xx).
 */

interface ErrorKind {
  readonly status: number;
  /** `never`: the same call fails again; `later`: it may pass; `now`: try at once. */
  readonly retry: 'never' | 'later' | 'now';
  readonly title: string;
}

export const errorKinds = {
  malformed_json: { status: 400, retry: 'never', title: 'The body is not valid JSON' },
  malformed_body: { status: 400, retry: 'never', title: 'The body could not be read' },
  invalid_request: { status: 422, retry: 'never', title: 'The request has invalid fields' },
  invalid_query: { status: 400, retry: 'never', title: 'The query string has invalid parameters' },
  invalid_cursor: { status: 400, retry: 'never', title: 'The cursor is not one this API gave out' },
  unauthenticated: { status: 401, retry: 'never', title: 'No valid API key was given' },
  forbidden: { status: 403, retry: 'never', title: 'The API key lacks the scope this call needs' },
  not_found: { status: 404, retry: 'never', title: 'There is no such thing in this tenant' },
  gone: { status: 410, retry: 'never', title: 'It was kept for a while and is there no more' },
  method_not_allowed: { status: 405, retry: 'never', title: 'The path exists, but not with this method' },
  conflict: { status: 409, retry: 'never', title: 'The request conflicts with the present state' },
  illegal_transition: { status: 409, retry: 'never', title: 'The campaign is in a state that forbids this' },
  idempotency_in_progress: {
    status: 409,
    retry: 'later',
    title: 'A request with this Idempotency-Key is still running',
  },
  idempotency_mismatch: {
    status: 422,
    retry: 'never',
    title: 'This Idempotency-Key was used with another request',
  },
  idempotency_key_missing: {
    status: 400,
    retry: 'never',
    title: 'This call needs an Idempotency-Key header',
  },
  precondition_failed: { status: 412, retry: 'never', title: 'The resource has changed since it was read' },
  precondition_required: { status: 428, retry: 'never', title: 'This call needs an If-Match header' },
  payload_too_large: { status: 413, retry: 'never', title: 'The body is larger than this call takes' },
  unsupported_media_type: { status: 415, retry: 'never', title: 'This call does not take that content type' },
  rate_limited: { status: 429, retry: 'later', title: 'Too many requests' },
  invalid_template: { status: 422, retry: 'never', title: 'The template does not compile' },
  transport_failed: { status: 502, retry: 'later', title: 'The transport could not be reached' },
  unavailable: { status: 503, retry: 'later', title: 'A part that this call needs is not available' },
  internal: { status: 500, retry: 'later', title: 'Something went wrong on our side' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** One field that is wrong: `pointer` is a JSON pointer into the body, or `parameter` names a query parameter or header. */
export interface FieldError {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
  /** In the text that `pointer` names, from 1: where a template is wrong. */
  readonly line?: number;
  readonly column?: number;
}

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** What exactly is wrong, for the caller; never holds secrets. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(options.detail ?? errorKinds[code].title, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = options.detail;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get kind(): ErrorKind {
    return errorKinds[this.code];
  }
}
