/** A JSON schema in a few words, with links to the schemas that have a name. */
import { escapeHtml } from './html.ts';

/** As much of a JSON schema as the page shows. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

export function describeType(schema: SchemaNode): string {
  const name = schema.$ref?.split('/').at(-1);
  if (name) return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name)}</a>`;
  return `${describeShape(schema)}${describeBounds(schema)}`;
}

function describeShape(schema: SchemaNode): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(' | ');
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return branches.map(describeType).join(' or ');
  if (schema.allOf) return schema.allOf.map(describeType).join(' and ');
  if (schema.items) return `list of ${describeType(schema.items)}${orNull(schema)}`;
  if (schema.properties)
    return `{ ${Object.entries(schema.properties)
      .map(([name, field]) => describeField(name, field, schema))
      .join(', ')} }${orNull(schema)}`;
  if (typeof schema.additionalProperties === 'object')
    return `map to ${describeType(schema.additionalProperties)}`;
  return [schema.type ?? 'anything'].flat().map(String).map(escapeHtml).join(' or ') + describeFormat(schema);
}

function describeField(name: string, field: SchemaNode, parent: SchemaNode): string {
  return `<code>${escapeHtml(name)}</code>${parent.required?.includes(name) ? '' : '?'}: ${describeType(field)}`;
}

function orNull({ type }: SchemaNode): string {
  return Array.isArray(type) && type.includes('null') ? ' or null' : '';
}

function describeFormat({ format }: SchemaNode): string {
  return format ? ` (${escapeHtml(format)})` : '';
}

function describeBounds(schema: SchemaNode): string {
  const bounds = [
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && `to ${schema.maximum}`,
    schema.maxLength !== undefined && `at most ${schema.maxLength} characters`,
    schema.maxItems !== undefined && `at most ${schema.maxItems}`,
    schema.default !== undefined && `default ${code(schema.default)}`,
  ].filter((bound) => bound !== false);
  return bounds.length > 0 ? ` <span class="muted">${bounds.join(', ')}</span>` : '';
}

function code(value: unknown): string {
  return `<code>${escapeHtml(JSON.stringify(value))}</code>`;
}
