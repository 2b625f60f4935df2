/** The sections of the documentation page: introduction, operations by tag, schemas, errors. */
import { errorKinds } from '../errors.ts';
import { describeType, type SchemaNode } from './docs-types.ts';
import { escapeHtml, renderInline, renderMarkdown } from './html.ts';
import type { OpenApiDocument } from './openapi.ts';

/** As much of an operation as the page shows. */
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly {
    name: string;
    in: string;
    required?: boolean;
    description?: string;
    schema: SchemaNode;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: SchemaNode }> };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, { readonly schema: SchemaNode }> }
  >;
}

export function renderIntroduction({ info }: OpenApiDocument): string {
  return `<h1>${escapeHtml(info.title)} API</h1>${renderMarkdown(info.description ?? '')}`;
}

export function renderTag(document: OpenApiDocument, tag: string): string {
  const anchor = `tag-${tag.toLowerCase().replace(/\W+/g, '-')}`;
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => renderOperation(method, path, operation)),
  );
  return `<h2 id="${anchor}">${escapeHtml(tag)}</h2>${operations.join('')}`;
}

export function renderSchemas({ components }: OpenApiDocument): string {
  const schemas = Object.entries((components?.schemas ?? {}) as Record<string, SchemaNode>);
  const sections = schemas.map(
    ([name, schema]) =>
      `<h3 id="schema-${escapeHtml(name)}">${escapeHtml(name)}</h3>${renderInline(schema.description ?? '')}${renderFields(schema)}`,
  );
  return `<h2 id="schemas">Schemas</h2>${sections.join('')}`;
}

export function renderErrors(): string {
  const rows = Object.entries(errorKinds).map(
    ([code, { status, title, retry }]) =>
      `<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}</td><td>${retry}</td></tr>`,
  );
  return `<h2 id="errors">Errors</h2>${table('errors', ['Code', 'Status', 'Meaning', 'Try again'], rows)}`;
}

function renderOperation(method: string, path: string, operation: Operation): string {
  return `<section id="${escapeHtml(operation.operationId)}"><h3>${escapeHtml(operation.summary)}</h3>
<p><span class="method ${method}">${method}</span> <span class="path">${escapeHtml(path)}</span></p>
<p class="muted">${renderAccess(operation)}</p>${renderMarkdown(operation.description ?? '')}
${renderParameters(operation)}${renderBody(operation)}${renderResponses(operation)}</section>`;
}

function renderAccess({ security = [] }: Operation): string {
  const [scheme] = security;
  if (!scheme) return 'Needs no key';
  const scope = scheme.apiKey?.[0];
  return scope
    ? `Needs an API key with the scope <code>${escapeHtml(scope)}</code>`
    : 'Needs the admin token';
}

function renderParameters({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    (parameter) => `<tr><td><code>${escapeHtml(parameter.name)}</code>${parameter.required ? ' *' : ''}</td>
<td>${parameter.in}</td><td>${describeType(parameter.schema)}</td><td>${renderInline(parameter.description ?? '')}</td></tr>`,
  );
  return `<h4>Parameters</h4>${table('parameters', ['Name', 'In', 'Type', 'Meaning'], rows)}`;
}

function renderBody({ requestBody }: Operation): string {
  const contents = Object.entries(requestBody?.content ?? {});
  return contents
    .map(
      ([type, { schema }]) =>
        `<h4>Body: ${escapeHtml(type)} ${describeType(schema)}</h4>${renderFields(schema)}`,
    )
    .join('');
}

function renderResponses({ responses }: Operation): string {
  const isError = ([status]: [string, unknown]) => status >= '400';
  const entries = Object.entries(responses);
  const rows = entries
    .filter((entry) => !isError(entry))
    .map(([status, { description, content = {} }]) => {
      const types = Object.values(content).map(({ schema }) => describeType(schema));
      return `<tr><td>${escapeHtml(status)}</td><td>${types.join(' or ')}</td><td>${renderInline(description)}</td></tr>`;
    });
  const errors = entries
    .filter(isError)
    .map(
      ([status, { description }]) =>
        `<tr><td>${escapeHtml(status)}</td><td>${linkErrors(description)}</td></tr>`,
    );
  return `<h4>Replies</h4>${table('replies', ['Status', 'Body', 'Meaning'], rows)}
<details><summary>Errors</summary>${table('problems', ['Status', 'Code'], errors)}</details>`;
}

function linkErrors(description: string): string {
  return renderInline(description).replace(/\b[a-z_]+\b/g, (word) =>
    Object.hasOwn(errorKinds, word) ? `<a href="#error-${word}">${word}</a>` : word,
  );
}

function renderFields(schema: SchemaNode): string {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return schema.$ref ? '' : `<p>${describeType(schema)}</p>`;
  const rows = fields.map(
    ([
      name,
      field,
    ]) => `<tr><td><code>${escapeHtml(name)}</code>${schema.required?.includes(name) ? ' *' : ''}</td>
<td>${describeType(field)}</td><td>${renderInline(field.description ?? '')}</td></tr>`,
  );
  return table('fields', ['Field', 'Type', 'Meaning'], rows);
}

/** `kind` is the class that gives the columns their widths: alike in all tables of a kind. */
function table(kind: string, heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((name) => `<th>${name}</th>`).join('');
  return `<table class="${kind}"><tr>${head}</tr>${rows.join('')}</table>`;
}
