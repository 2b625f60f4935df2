import { describe, expect, test } from 'vitest';
import { errorKinds } from '../errors.ts';
import { apiKeyRoutes } from '../tenants/api-key-routes.ts';
import { tenantRoutes } from '../tenants/tenant-routes.ts';
import { testOpenApi } from '../testing/test-openapi.ts';
import { renderDocsPage } from './docs-page.ts';
import { type AppParts, createExpressApp } from './express-app.ts';
import { createOpenApi } from './openapi.ts';
import { defineRoute, json } from './route.ts';
import { groupRoutes } from './route-table.ts';
import { systemRoutes } from './system-routes.ts';

/** The document needs no parts: none of the handlers runs. */
const none = {} as never;
const routes = [...tenantRoutes(none), ...apiKeyRoutes(none), ...systemRoutes(none)];
const document = createOpenApi(routes, 'https://send.example', '1');

describe('of the routes of this folder', () => {
  testOpenApi(document, createExpressApp(routes, {} as AppParts));
});

test('headers, scopes and problems are described', () => {
  const operation = document.paths?.['/v1/api-keys']?.post;
  expect(operation?.security).toEqual([{ apiKey: ['keys:write'] }]);
  expect(operation?.parameters).toMatchObject([{ name: 'Idempotency-Key', in: 'header', required: true }]);
  expect(Object.keys(operation?.responses ?? {})).toEqual(
    expect.arrayContaining(['201', '400', '409', '422', '429']),
  );
});

test('the page shows every operation, schema and error, and runs nothing', () => {
  const { html, policy } = renderDocsPage(document);
  for (const { operationId } of routes) expect(html).toContain(`id="${operationId}"`);
  for (const name of Object.keys(document.components?.schemas ?? {}))
    expect(html).toContain(`id="schema-${name}"`);
  for (const code of Object.keys(errorKinds)) expect(html).toContain(`id="error-${code}"`);
  const anchors = new Set([...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]));
  for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(target);
  expect(html).not.toMatch(/<script|https?:\/\/(?!send\.example)|style="|undefined/);
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-/);
});

const make = (path: string, operationId: string) =>
  defineRoute({
    ...{ method: 'get', path, operationId, summary: 's', tag: 't', access: 'public', responses: {} },
    handle: async () => json(204),
  });

test('routes that contradict each other are refused when the server is made', () => {
  expect(() => groupRoutes([make('/a', 'x'), make('/a', 'y')])).toThrow('Two routes are called get /a');
  expect(() => groupRoutes([make('/a', 'x'), make('/b', 'x')])).toThrow('Two routes are called x');
  expect(() => groupRoutes([make('/a/{b_id}', 'x')])).toThrow('the path has {b_id}');
});

test('a literal path goes before a general one, whatever their order', () => {
  const paths = groupRoutes([make('/v1/b', 'b'), make('/v1/a', 'a'), make('/v1/b/c', 'c')]).map(
    ({ path }) => path,
  );
  expect(paths).toEqual(['/v1/a', '/v1/b', '/v1/b/c']);
});
