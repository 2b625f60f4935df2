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
  return findShapeProblem(attributes) ?? findExcessBytes(attributes);
}

/** The same but for its size in bytes, which costs writing it out. */
export function findShapeProblem(attributes: object): AttributeProblem | undefined {
  const names = Object.keys(attributes);
  if (names.length > maxAttributes) {
    return { path: [], detail: `has more than ${maxAttributes} attributes` };
  }
  const own = names.find((name) => ownFields.has(name));
  if (own !== undefined) return { path: [own], detail: 'is a field of the profile, not an attribute' };
  return findInObject(attributes, 0);
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

function findInValue(value: unknown, depth: number): AttributeProblem | undefined {
  if (typeof value === 'string') return findInText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : here('is not finite');
  if (typeof value === 'boolean' || value === null) return undefined;
  if (typeof value !== 'object') return here('is not a JSON value');
  if (depth > maxDepth) return here(`is nested deeper than ${maxDepth} levels`);
  return Array.isArray(value) ? findInArray(value, depth) : findInObject(value, depth);
}

/** Half a surrogate pair is legal in JSON and an error in MySQL's. */
function findInText(text: string): AttributeProblem | undefined {
  return /\p{Cs}/u.test(text) ? here('holds half a surrogate pair') : undefined;
}

function findInArray(values: readonly unknown[], depth: number): AttributeProblem | undefined {
  for (let index = 0; index < values.length; index++) {
    const problem = findInValue(values[index], depth + 1);
    if (problem) return within(index, problem);
  }
  return undefined;
}

function findInObject(members: object, depth: number): AttributeProblem | undefined {
  for (const name of Object.keys(members)) {
    const detail = findNameProblem(name);
    if (detail) return { path: [name], detail };
    const problem = findInValue((members as Record<string, unknown>)[name], depth + 1);
    if (problem) return within(name, problem);
  }
  return undefined;
}

/** A path is made on the way out of a problem, so that what is right costs none. */
function here(detail: string): AttributeProblem {
  return { path: [], detail };
}

function within(step: string | number, { path, detail }: AttributeProblem): AttributeProblem {
  return { path: [step, ...path], detail };
}

function isObject(value: AttributeValue): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: AttributeValue | undefined): Attributes {
  return value !== undefined && isObject(value) ? value : {};
}
