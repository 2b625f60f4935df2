/** JSON bodies: strict UTF-8, bounded depth, and errors that say where. */
import { AppError } from '../errors.ts';
import { findJsonError } from './json-error.ts';

/** Deeper than any body of ours; keeps recursive schemas off the stack's end. */
const maxDepth = 64;
const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseJsonText(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  assertDepth(text);
  if (hasForbiddenName(text)) throw new AppError('invalid_request', { errors: [forbiddenName] });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('malformed_json', { cause, detail: findJsonError(text) });
  }
}

/** Schemas drop `__proto__` in silence: a caller who sent it would miss it. */
export function hasForbiddenName(text: string): boolean {
  return text.includes('__proto__') && /"__proto__"\s*:/.test(text);
}

const forbiddenName = { pointer: '', detail: '`__proto__` is not taken as a name, here or further inside' };

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new AppError('malformed_body', { cause, detail: 'The body is not valid UTF-8' });
  }
}

function assertDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === 0x5c) i++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) depth++;
    else if (char === 0x7d || char === 0x5d) depth--;
    if (depth > maxDepth) {
      throw new AppError('malformed_json', { detail: `The body is nested deeper than ${maxDepth} levels` });
    }
  }
}
