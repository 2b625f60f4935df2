/** What must hold of the OpenAPI document of any list of routes, as tests. */
import type { Express } from 'express';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { toExpressPath } from '../http/express-app.ts';
import type { OpenApiDocument } from '../http/openapi.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
  >;
}
interface Router {
  readonly stack: readonly {
    readonly route?: { readonly path: string; readonly stack: readonly { readonly method?: string }[] };
  }[];
}

/** `app` is the server of the same routes. */
export function testOpenApi(document: OpenApiDocument, app: Express): void {
  const operations = listOperations(document);

  test('the document describes the routes of the server, all of them and no others', () => {
    expect(operations.map(({ method, path }) => `${method} ${toExpressPath(path)}`).sort()).toEqual(
      servedBy(app),
    );
  });

  test('every operation has an id of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  test('every reply that has a body has a schema', () => {
    const without = operations.flatMap(({ operation }) =>
      Object.entries(operation.responses)
        .filter(([status, { content }]) => !isWithoutBody(status) && !hasSchemas(content))
        .map(([status]) => `${operation.operationId} ${status}`),
    );
    expect(without).toEqual([]);
    expect(
      operations.filter(({ operation }) => !Object.keys(operation.responses).some((s) => s < '400')),
    ).toEqual([]);
  });

  test('every parameter in a path is described', () => {
    for (const { path, operation } of operations) {
      const described = (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name);
      expect(described.toSorted()).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).toSorted(),
      );
    }
  });

  test('every example is valid by its schema, and every reference leads somewhere', () => {
    const $defs = toDefinitions(document.components?.schemas ?? {}) as Record<string, never>;
    for (const node of findNodes(toDefinitions(document))) {
      if (typeof node.$ref === 'string') expect($defs).toHaveProperty([node.$ref.replace('#/$defs/', '')]);
      if (!('example' in node) || !('type' in node || 'anyOf' in node)) continue;
      const result = z.fromJSONSchema({ ...node, $defs }).safeParse(node.example);
      expect(result.error?.issues ?? [], JSON.stringify(node)).toEqual([]);
    }
  });
}

function listOperations({ paths }: OpenApiDocument) {
  return Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) => ({
      path,
      method,
      operation,
    })),
  );
}

function servedBy(app: Express): string[] {
  const routes = (app.router as unknown as Router).stack.flatMap(({ route }) => route ?? []);
  return routes
    .flatMap(({ path, stack }) => stack.flatMap(({ method }) => (method ? `${method} ${path}` : [])))
    .sort();
}

function isWithoutBody(status: string): boolean {
  return ['202', '204', '304'].includes(status);
}

function hasSchemas(content: Readonly<Record<string, { readonly schema?: object }>> = {}): boolean {
  const types = Object.values(content);
  return types.length > 0 && types.every(({ schema }) => schema !== undefined);
}

function toDefinitions(value: object): object {
  return JSON.parse(JSON.stringify(value).replaceAll('#/components/schemas/', '#/$defs/'));
}

function findNodes(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(findNodes);
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner];
}
