/** The OpenAPI 3.1 document, made from the same routes that the server runs. */
import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type ResponseConfig,
  type RouteConfig,
} from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { errorsByStatus } from './openapi-errors.ts';
import { problemSchema } from './problem-schema.ts';
import type { Route } from './route.ts';

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

const introduction = `
Send campaigns: bring an audience, write a template, schedule a campaign, follow every recipient's outcome.

- **Authentication**: \`Authorization: Bearer sk_...\`, an API key of your tenant with the scope that the call names.
- **Bodies** are JSON in UTF-8. Unknown fields are errors. Times are ISO 8601; ids are text like \`cmp_...\`.
- **Errors** are problem documents (RFC 9457) with a stable \`code\` and all wrong fields at once.
- **Creating** calls need an \`Idempotency-Key\`: the same key with the same request has its effect once in 24 hours and
  answers the same again, with \`Idempotent-Replayed: true\`.
- **Lists** come in pages: pass \`next_cursor\` as \`cursor\` until it is null.
- **Rates**: every reply has \`RateLimit-Limit\`, \`RateLimit-Remaining\` and \`RateLimit-Reset\`; a 429 has \`Retry-After\`.
- Every reply has an \`X-Request-Id\`: yours, when you send one, else ours. Quote it when you ask for help.
`.trim();

const securitySchemes = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `sk_...`' },
  admin: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN of the installation' },
} as const;

export function createOpenApi(routes: readonly Route[], publicUrl: string, version: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  for (const [name, scheme] of Object.entries(securitySchemes)) {
    registry.registerComponent('securitySchemes', name, scheme);
  }
  for (const route of routes) registry.registerPath(toPath(route));
  const tags = [...new Set(routes.map((route) => route.tag))].map((name) => ({ name }));
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description: introduction,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl }],
    tags,
  });
}

function toPath(route: Route): RouteConfig {
  const { method, path, operationId, summary, description, tag } = route;
  return {
    ...{ method, path, operationId, summary, tags: [tag] },
    ...(description && { description }),
    security: toSecurity(route),
    request: toRequest(route),
    responses: { ...toProblems(route), ...toReplies(route) },
  };
}

/** Scopes of a bearer key: OpenAPI 3.1 allows them here for any scheme. */
function toSecurity({ access }: Route): Record<string, string[]>[] {
  if (access === 'public') return [];
  return access === 'admin' ? [{ admin: [] }] : [{ apiKey: [access] }];
}

function toRequest(route: Route): NonNullable<RouteConfig['request']> {
  const content = toBodyContent(route);
  return {
    ...(route.params && { params: route.params }),
    ...(route.query && { query: route.query }),
    ...(Object.keys(headersOf(route)).length > 0 && { headers: z.object(headersOf(route)) }),
    ...(content && { body: { required: true, content } }),
  };
}

function headersOf({ idempotent, ifMatch }: Route): Record<string, z.ZodType> {
  return {
    ...(idempotent && { 'Idempotency-Key': idempotencyKey }),
    ...(ifMatch && { 'If-Match': ifMatchTag }),
  };
}

const idempotencyKey = z.string().min(1).max(255).meta({
  description: 'Your own name for this request, such as a UUID; quoted or bare',
  example: '6b0b3c1e-7d1a-4f0e-9c55-0c6c2a1f8d3e',
});
const ifMatchTag = z.string().meta({ description: 'The ETag that you last read, or `*`', example: '"v3"' });

function toBodyContent({ rawBody, body }: Route) {
  if (body) return { 'application/json': { schema: body } };
  if (!rawBody) return undefined;
  const binary = { schema: { type: 'string', format: 'binary' } as const };
  return Object.fromEntries(rawBody.map((type) => [type === 'any' ? '*/*' : type, binary]));
}

const problemContent = { 'application/problem+json': { schema: problemSchema } };

function toReplies({ responses }: Route): Record<string, ResponseConfig> {
  return Object.fromEntries(
    Object.entries(responses).map(([status, { description, schema, contentType, headers }]) => {
      const text = contentType && { [contentType]: { schema: { type: 'string' } as const } };
      if (!schema && !contentType && status >= '400')
        return [status, { description, content: problemContent }];
      const content = schema ? { [contentType ?? 'application/json']: { schema } } : text;
      return [
        status,
        { description, ...(content && { content }), ...(headers && { headers: toHeaders(headers) }) },
      ];
    }),
  );
}

function toHeaders(headers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' as const } },
    ]),
  );
}

function toProblems(route: Route): Record<string, ResponseConfig> {
  return Object.fromEntries(
    errorsByStatus(route).map(([status, codes]) => [
      status,
      { description: codes.join(', '), content: problemContent },
    ]),
  );
}
