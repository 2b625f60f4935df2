/**
 * What a tenant may keep about a person: a JSON object whose names a Liquid template can reach, small enough that a
 * render worker can hold hundreds at once.
 */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [name: string]: AttributeValue };

/** In a patch null clears an attribute; what is stored holds no nulls as members of objects (RFC 7396). */
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface AttributeProblem {
  readonly path: readonly (string | number)[];
  readonly detail: string;
}

export const maxAttributes = 400;
/** Of the JSON text in UTF-8. */
export const maxAttributeBytes = 102_400;
const maxDepth = 5;
const maxNameLength = 128;

/** The first thing wrong with an attributes object, or undefined when it may be stored. */
export function findAttributeProblem(attributes: object): AttributeProblem | undefined {
  if (Object.keys(attributes).length > maxAttributes) {
    return { path: [], detail: `has more than ${maxAttributes} attributes` };
  }
  for (const name of Object.keys(attributes)) {
    if (ownFields.has(name)) return { path: [name], detail: 'is a field of the profile, not an attribute' };
  }
  return findInValue(attributes, []) ?? findExcessBytes(attributes);
}

/** Why a name can't be an attribute's, or undefined when it can. */
export function findNameProblem(name: string): string | undefined {
  if (name.length > maxNameLength) return `has a name of more than ${maxNameLength} characters`;
  if (reachableName.test(name) && name !== '__proto__') return undefined;
  return 'has a name that templates cannot reach: use letters, digits, _ and -, and begin with a letter or _';
}

export function findExcessBytes(attributes: object): AttributeProblem | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(attributes));
  return bytes > maxAttributeBytes
    ? { path: [], detail: `is ${bytes} bytes of JSON; the limit is ${maxAttributeBytes}` }
    : undefined;
}

/**
 * What the stores' JSON_MERGE_PATCH makes of a patch, for the one path that merges before it writes (RFC 7396).
 * Call it with `{}` to take the nulls out of a patch.
 */
export function mergeAttributes(target: Attributes, patch: Attributes): Attributes {
  const merged: Record<string, AttributeValue> = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = isObject(value) ? mergeAttributes(asObject(merged[name]), value) : value;
  }
  return merged;
}

/** Templates see these beside the attributes, under the same roof. */
const ownFields = new Set(['email', 'phone', 'time_zone', 'consent']);
const reachableName = /^[A-Za-z_][A-Za-z0-9_-]*$/;

function findInValue(value: unknown, path: readonly (string | number)[]): AttributeProblem | undefined {
  if (typeof value === 'string') return findInText(value, path);
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { path, detail: 'is not finite' };
  if (typeof value === 'boolean' || value === null) return undefined;
  if (typeof value !== 'object') return { path, detail: 'is not a JSON value' };
  if (path.length > maxDepth) return { path, detail: `is nested deeper than ${maxDepth} levels` };
  return Array.isArray(value) ? findInArray(value, path) : findInObject(value, path);
}

/** Half a surrogate pair is legal in JSON and an error in MySQL's. */
function findInText(text: string, path: readonly (string | number)[]): AttributeProblem | undefined {
  return /\p{Cs}/u.test(text) ? { path, detail: 'holds half a surrogate pair' } : undefined;
}

function findInArray(values: readonly unknown[], path: readonly (string | number)[]) {
  for (const [index, value] of values.entries()) {
    const problem = findInValue(value, [...path, index]);
    if (problem) return problem;
  }
  return undefined;
}

function findInObject(members: object, path: readonly (string | number)[]): AttributeProblem | undefined {
  for (const [name, value] of Object.entries(members)) {
    const detail = findNameProblem(name);
    if (detail) return { path: [...path, name], detail };
    const problem = findInValue(value, [...path, name]);
    if (problem) return problem;
  }
  return undefined;
}

function isObject(value: AttributeValue): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: AttributeValue | undefined): Attributes {
  return value !== undefined && isObject(value) ? value : {};
}
