/**
 * What a template may say: its own text, and in place of what it interpolates all text that this can stand for (constants, fragments that
 * functions build, in other files too). A value stands for nothing. Enough to see a statement's tables, keys and constructs, not to run it.
 */
import { childrenOf, type Node, nameOf, type SourceFile } from './source-file.ts';

export interface Reading {
  readonly files: ReadonlyMap<string, SourceFile>;
  /** Literals that were read as part of another. */
  readonly used: Set<Node>;
}

/** What is said once for each of many: between marks that no SQL has. */
export const repeated = /«[^»]*»/g;

export function flatten(
  node: Node,
  file: SourceFile,
  reading: Reading,
  within: readonly Node[] = [],
): string {
  // An awaited value is data, and a fragment that leads back to itself says nothing new.
  if (node.type === 'AwaitExpression' || within.includes(node)) return '';
  const inside = [...within, node];
  if (node.type === 'Identifier') return flattenName(nameOf(node) ?? '', file, reading, inside);
  if (node.type === 'Literal' || node.type === 'TemplateLiteral') {
    if (within.length > 0) reading.used.add(node);
    return node.type === 'Literal' ? literalText(node) : flattenTemplate(node, file, reading, inside);
  }
  const texts = readableChildren(node).map((child) => flatten(child, file, reading, inside));
  const text = texts.filter((one) => one !== '').join(' ');
  return isRepeated(node) && text !== '' ? `«${text.replace(/[«»]/g, '')}»` : text;
}

function isRepeated({ type, callee }: Node): boolean {
  const name = type === 'CallExpression' && nameOf((callee as Node).property);
  return name === 'map' || name === 'flatMap';
}

function literalText({ value }: Node): string {
  return typeof value === 'string' ? value : '';
}

function flattenTemplate(node: Node, file: SourceFile, reading: Reading, within: readonly Node[]): string {
  const quasis = node.quasis as readonly { readonly value: { readonly cooked: string } }[];
  const expressions = node.expressions as readonly Node[];
  const parts = quasis.map(({ value }, at) => {
    const inserted = expressions[at] ? flatten(expressions[at], file, reading, within) : '';
    return value.cooked + inserted;
  });
  return parts.join('');
}

function flattenName(name: string, file: SourceFile, reading: Reading, within: readonly Node[]): string {
  const here = file.declared.get(name);
  if (here) return flatten(here, file, reading, within);
  const from = file.imported.get(name);
  const there = from && reading.files.get(from.path);
  const declared = there?.declared.get(from?.name ?? '');
  return there && declared ? flatten(declared, there, reading, within) : '';
}

/** Names of properties and parameters are not names of fragments; a condition chooses text and has none. */
function readableChildren(node: Node): readonly Node[] {
  const unread = new Set([
    ...(node.type === 'MemberExpression' && !node.computed ? [node.property] : []),
    ...(node.type === 'Property' ? [node.key] : []),
    ...(node.type === 'ConditionalExpression' ? [node.test] : []),
    ...((node.params as Node[] | undefined) ?? []),
    ...[node.id, node.typeAnnotation, node.returnType, node.typeArguments],
  ]);
  return childrenOf(node).filter((child) => !unread.has(child));
}
