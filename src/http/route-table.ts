/** Routes by their path, the literal before the general, so that the order in which stages list them does not matter. */
import type { Route } from './route.ts';

export interface PathRoutes {
  readonly path: string;
  readonly routes: readonly Route[];
}

/** Throws when two routes share a method and path or an operationId, or when path and `params` disagree. */
export function groupRoutes(routes: readonly Route[]): readonly PathRoutes[] {
  assertUnique(routes.map((route) => `${route.method} ${route.path.replace(/\{\w+\}/g, '{}')}`));
  assertUnique(routes.map((route) => route.operationId));
  for (const route of routes) assertParams(route);
  const paths = [...new Set(routes.map((route) => route.path))];
  const groups = paths.map((path) => ({ path, routes: routes.filter((route) => route.path === path) }));
  return groups.sort((a, b) => compareKeys(sortKey(a.path), sortKey(b.path)));
}

function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}

function assertUnique(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`Two routes are called ${name}`);
    seen.add(name);
  }
}

function assertParams(route: Route): void {
  const inPath = pathParameters(route.path);
  const inSchema = Object.keys(route.params?.shape ?? {});
  if (inPath.toSorted().join() !== inSchema.toSorted().join()) {
    throw new Error(`${route.operationId}: the path has {${inPath}}, its params have {${inSchema}}`);
  }
}

/** Sorts a parameter behind every literal in its place. */
function sortKey(path: string): string {
  return path.replace(/\{\w+\}/g, '\uffff');
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
