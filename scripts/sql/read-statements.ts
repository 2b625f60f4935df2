/** Every SQL statement that the processes may issue, as far as the source says it. */
import { flatten, type Reading } from './flatten.ts';
import { readProgramFiles } from './program-files.ts';
import { childrenOf, type Node, nameOf, type SourceFile } from './source-file.ts';

export interface Statement {
  readonly path: string;
  /** The function or constant that it stands in. */
  readonly name: string;
  /** On one line. */
  readonly text: string;
}

interface Found {
  readonly node: Node;
  readonly statement: Statement;
}

const verb =
  /^[«(]*(SELECT|INSERT|UPDATE [a-z$]|DELETE FROM|REPLACE|ALTER|SET |SHOW|EXPLAIN|START TRANSACTION|COMMIT|ROLLBACK|WITH [a-z]|CREATE|DROP|LOCK|TRUNCATE|LOAD|CALL)/;
/** Parts that are handed to a function, which puts SELECT before them. */
const part = /^[A-Z(].* FROM [a-z(]/;

export function readStatements(root: string): readonly Statement[] {
  const reading: Reading = { files: readProgramFiles(root), used: new Set() };
  const found = [...reading.files.values()]
    .filter(({ path }) => path.startsWith('src/'))
    .flatMap((file) => findLiterals(file.program, file, reading, ''));
  return found
    .filter(({ node }) => !reading.used.has(node))
    .map(({ statement }) => statement)
    .sort((one, other) => one.path.localeCompare(other.path, 'en'));
}

function findLiterals(node: Node, file: SourceFile, reading: Reading, within: string): readonly Found[] {
  const name = within === '' || isFunction(node) ? (declaredName(node) ?? within) : within;
  const inside = childrenOf(node).flatMap((child) => findLiterals(child, file, reading, name));
  if (node.type !== 'TemplateLiteral' && node.type !== 'Literal') return inside;
  if (!mayBeSql.test(ownText(node))) return inside;
  const text = flatten(node, file, reading).replace(/\s+/g, ' ').trim();
  const isStatement = verb.test(text) || part.test(text);
  return isStatement ? [{ node, statement: { path: file.path, name, text } }, ...inside] : inside;
}

/** Spares following what template literals of other languages interpolate. */
const mayBeSql = /[A-Z]{3,}|^\s*\$/;

function ownText(node: Node): string {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : '';
  return (node.quasis as readonly { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('$');
}

function isFunction({ type, value, init, method }: Node): boolean {
  if (type === 'FunctionDeclaration' || method === true) return true;
  return /Function/.test(((init ?? value) as Node | null | undefined)?.type ?? '');
}

function declaredName(node: Node): string | undefined {
  if (['FunctionDeclaration', 'VariableDeclarator'].includes(node.type)) return nameOf(node.id);
  return node.type === 'Property' ? nameOf(node.key) : undefined;
}
