/**
 * A TypeScript file as a tree, with what it declares and imports by name. TypeScript 7 has no API to ask, so oxc's parser reads it.
 */
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { parseSync } from 'oxc-parser';

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

export interface SourceFile {
  readonly path: string;
  readonly program: Node;
  /** Constants and functions by name, whatever their scope: a name means one thing in a file of ours. */
  readonly declared: ReadonlyMap<string, Node>;
  readonly imported: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
  /** Files of ours that it names, types included. */
  readonly imports: readonly string[];
}

export function readSourceFile(root: string, path: string): SourceFile {
  const program = parseSync(path, readFileSync(join(root, path), 'utf8')).program as unknown as Node;
  const declared = new Map<string, Node>();
  const imported = new Map<string, { path: string; name: string }>();
  const imports: string[] = [];
  visit(program, (node) => {
    const [name, value] = declarationIn(node);
    if (name && value) declared.set(name, value);
    const from = importedPath(path, node);
    if (!from) return;
    imports.push(from);
    for (const { local, imported: outer } of namesIn(node))
      imported.set(local.name, { path: from, name: outer.name });
  });
  return { path, program, declared, imported, imports };
}

export function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const child of childrenOf(node)) visit(child, see);
}

export function childrenOf(node: Node): readonly Node[] {
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof (value as Node | null)?.type === 'string';
}

function declarationIn(node: Node): readonly [string | undefined, Node | undefined] {
  if (node.type === 'FunctionDeclaration') return [nameOf(node.id), node];
  if (node.type === 'VariableDeclarator')
    return [nameOf(node.id), (node.init ?? undefined) as Node | undefined];
  return [undefined, undefined];
}

export function nameOf(id: unknown): string | undefined {
  return (id as { name?: string } | null)?.name;
}

function importedPath(path: string, node: Node): string | undefined {
  const from = (node.source as { value?: unknown } | null | undefined)?.value;
  if (typeof from !== 'string' || !from.startsWith('.')) return undefined;
  return normalize(join(path, '..', from));
}

interface ImportedName {
  readonly local: { readonly name: string };
  readonly imported: { readonly name: string };
}

function namesIn(node: Node): readonly ImportedName[] {
  return ((node.specifiers ?? []) as (Node & ImportedName)[]).filter(
    ({ type }) => type === 'ImportSpecifier',
  );
}
