/** The bytes of a request: what type they are, how many there may be, and how long they may take. */
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { AppError } from '../errors.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** For the whole of a JSON body. */
  readonly timeoutMs: number;
}

/** What of a refused body is still read, so that the client gets to see the answer before the connection closes. */
const discardLimit = { bytes: 16_777_216, ms: 2_000 };

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Throws 415 unless the content type is one of `allowed`. Compressed bodies are not taken: a bomb is small. */
export function assertContentType({ headers }: IncomingMessage, allowed: readonly string[]): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media_type', { detail: `Content-Encoding ${encoding} is not taken` });
  }
  if (allowed.includes('any')) return;
  const [type, charset] = readContentType(headers['content-type']);
  if (allowed.includes(type) && (charset === undefined || charset === 'utf-8')) return;
  throw new AppError('unsupported_media_type', {
    detail: `Content-Type must be ${allowed.join(' or ')}, in UTF-8`,
    errors: [{ parameter: 'Content-Type', detail: type ? 'is not taken here' : 'is missing' }],
  });
}

export function readContentType(header: string | undefined): [type: string, charset: string | undefined] {
  const type = header?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(header ?? '')?.[1]?.toLowerCase();
  return [type, charset === 'utf8' ? 'utf-8' : charset];
}

/** The whole body, at most `maxBytes`. What is too large is refused as soon as that is known. */
export function readBody(req: IncomingMessage, { maxBytes, timeoutMs }: BodyLimits): Promise<Buffer> {
  assertDeclaredLength(req, maxBytes);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settled();
    };
    const fail = (error: AppError) => settle(() => reject(error));
    const onData = (part: Buffer) => {
      length += part.length;
      parts.push(part);
      if (length > maxBytes) fail(tooLarge(maxBytes));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(parts, length)));
    const onClose = () => fail(new AppError('malformed_body', { detail: 'The body broke off' }));
    const timer = setTimeout(() => fail(tooSlow(timeoutMs)), timeoutMs);
    req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** The body as a stream that errs beyond `maxBytes` or when it breaks off. */
export function limitBody(req: IncomingMessage, maxBytes: number): Transform {
  assertDeclaredLength(req, maxBytes);
  let length = 0;
  const limited = new Transform({
    transform(part: Buffer, _encoding: string, done: TransformCallback) {
      length += part.length;
      done(length > maxBytes ? tooLarge(maxBytes) : null, part);
    },
  });
  // A handler that never reads it must not bring the process down when the client leaves.
  limited.on('error', () => {});
  const onClose = () => {
    if (!req.complete) limited.destroy(new AppError('malformed_body', { detail: 'The body broke off' }));
  };
  req.once('close', onClose).once('error', onClose);
  return req.pipe(limited);
}

/** Reads on for a bounded while, so that a connection with unread bytes is not reset under the reply. */
export function discardRest(req: IncomingMessage): Promise<void> {
  if (req.complete || req.destroyed || !hasBody(req)) return Promise.resolve();
  return new Promise((resolve) => {
    let length = 0;
    const timer = setTimeout(resolve, discardLimit.ms);
    const finish = () => {
      clearTimeout(timer);
      req.off('data', onData);
      resolve();
    };
    const onData = (part: Buffer) => {
      length += part.length;
      if (length > discardLimit.bytes) finish();
    };
    req.unpipe();
    req.on('data', onData).once('end', finish).once('close', finish).once('error', finish).resume();
  });
}

function assertDeclaredLength({ headers }: IncomingMessage, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('payload_too_large', { detail: `At most ${maxBytes} bytes are taken` });
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError('malformed_body', { detail: `The body did not arrive within ${timeoutMs / 1000} s` });
}
