/** Zod's issues as the field errors of a problem document: all of them, each with a JSON pointer or a parameter's name. */
import type { ZodType, z } from 'zod';
import { AppError, type ErrorCode, type FieldError } from '../errors.ts';

export type Part = 'body' | 'query' | 'path';

type Issue = z.core.$ZodIssue;

/** An id that can't be one names nothing: 404, like an id that is not there. */
const codeOf: Record<Part, ErrorCode> = {
  body: 'invalid_request',
  query: 'invalid_query',
  path: 'not_found',
};

/** Decodes one part of a request, or throws with every error in it. */
export function validatePart<T extends ZodType>(part: Part, schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value, { error: describeIssue });
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => toFieldErrors(issue, [], part));
  throw new AppError(codeOf[part], { errors });
}

/** RFC 6901. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined;
}

function toFieldErrors(issue: Issue, base: readonly PropertyKey[], part: Part): FieldError[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const detail = part === 'body' ? 'is not a known field' : 'is not a known parameter';
    return issue.keys.map((key) => fieldError(part, [...path, key], detail));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return closestBranch(issue.errors).flatMap((inner) => toFieldErrors(inner, path, part));
  }
  return [fieldError(part, path, issue.message)];
}

/** The branch that got furthest: the one with the fewest errors is what the caller most likely meant. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  return branches.reduce((best, branch) => (branch.length < best.length ? branch : best));
}

function fieldError(part: Part, path: readonly PropertyKey[], detail: string): FieldError {
  return part === 'body'
    ? { pointer: toPointer(path), detail }
    : { parameter: String(path[0] ?? part), detail };
}
