/**
 * A message, compiled: once per version of a campaign's message, and the same bytes in every process that does it.
 */
import { createHash } from 'node:crypto';
import { parseDomain } from '../audience/address.ts';
import { findSizeErrors } from './fixed-size.ts';
import { buildBodySeams, buildHead, findHeadErrors } from './head.ts';
import type { CompiledMessage } from './message.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';
import type { MessageSource, SourceError } from './source.ts';
import { parseSource, type SourceTemplates } from './source-templates.ts';
import { replaceStaticNodes } from './static-nodes.ts';
import type { ParsedTemplate } from './template.ts';

export interface CompiledTemplate {
  /** What sending needs. */
  readonly message: CompiledMessage;
  /** The rest is what rendering needs; it lives in one process (parsed templates can't be serialised). */
  readonly templates: SourceTemplates;
  /** Numbers of the header's segments, in order; see `buildHead`. */
  readonly head: readonly number[];
  /** Numbers of the segments between the parts and at the end. */
  readonly between: number;
  readonly end: number;
  readonly sendingDomain: string;
  readonly bounceDomain: string;
}

export type CompileResult =
  | { readonly kind: 'compiled'; readonly message: CompiledTemplate }
  | { readonly kind: 'invalid'; readonly errors: readonly SourceError[] };

/** Reports every error at once, and throws none. */
export function compileMessage(source: MessageSource): CompileResult {
  const errors = findHeadErrors(source);
  const parsed = parseSource(source);
  if (parsed.kind === 'invalid') return { kind: 'invalid', errors: [...errors, ...parsed.errors] };
  if (errors.length > 0) return { kind: 'invalid', errors };
  const frame = buildFrame(source);
  const tooLarge = findSizeErrors(parsed.templates, [...frame.head, frame.between, frame.end]);
  if (tooLarge.length > 0) return { kind: 'invalid', errors: tooLarge };
  return { kind: 'compiled', message: assemble(source, parsed.templates, frame) };
}

/** All but the parts. */
interface Frame {
  readonly head: readonly string[];
  readonly between: string;
  readonly end: string;
}

function buildFrame(source: MessageSource): Frame {
  const boundary = chooseBoundary(source);
  return { head: buildHead(source, boundary), ...buildBodySeams(boundary) };
}

function assemble(source: MessageSource, templates: SourceTemplates, frame: Frame): CompiledTemplate {
  const table = new SegmentTable();
  const head = frame.head.map((text) => table.add(text));
  moveStaticText(templates.text, table);
  const between = table.add(frame.between);
  moveStaticText(templates.html, table);
  const end = table.add(frame.end);
  return {
    message: { digest: digestSegments(table.segments), segments: table.segments },
    templates,
    head,
    between,
    end,
    sendingDomain: parseDomain(source.sendingDomain) ?? '',
    bounceDomain: parseDomain(source.bounceDomain) ?? '',
  };
}

/** Hex SHA-256 over the segments and their lengths: the name of a compiled message. */
export function digestSegments(segments: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const segment of segments) hash.update(`${segment.length}\0`).update(segment);
  return hash.digest('hex');
}

/** Equal texts share a segment. */
class SegmentTable {
  readonly segments: Buffer[] = [];
  readonly #numbers = new Map<string, number>();

  add(encoded: string): number {
    const known = this.#numbers.get(encoded);
    if (known !== undefined) return known;
    const number = this.segments.push(Buffer.from(encoded, 'latin1')) - 1;
    this.#numbers.set(encoded, number);
    return number;
  }
}

function moveStaticText({ nodes }: ParsedTemplate, table: SegmentTable): void {
  replaceStaticNodes(nodes, (text) => table.add(encodeQuotedPrintable(text)));
}

/**
 * Never in the content: in quoted-printable a `=` is followed by a hexadecimal digit or a line end (RFC 2045 6.7). It
 * differs from message to message so that a forwarded one can be nested.
 */
function chooseBoundary(source: MessageSource): string {
  return `=_${createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 24)}`;
}
