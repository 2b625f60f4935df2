/** The four Liquid sources of a message, parsed, with every error by field and place. */
import type { Liquid } from 'liquidjs';
import { limits } from './limits.ts';
import { htmlEngine, textEngine } from './liquid-engine.ts';
import { insertPreheader } from './preheader.ts';
import type { SourceError, TemplateSource } from './source.ts';
import { rewriteStaticNodes } from './static-nodes.ts';
import { type ParsedTemplate, parseTemplate } from './template.ts';
import { deriveTextSource } from './text-from-html.ts';

export interface SourceTemplates {
  readonly subject: ParsedTemplate;
  readonly preheader: ParsedTemplate | undefined;
  /** With the preheader in it. */
  readonly html: ParsedTemplate;
  readonly text: ParsedTemplate;
}

export type SourceTemplatesResult =
  | { readonly kind: 'parsed'; readonly templates: SourceTemplates }
  | { readonly kind: 'invalid'; readonly errors: readonly SourceError[] };

export function parseSource(source: TemplateSource): SourceTemplatesResult {
  const errors: SourceError[] = [];
  const parse = (field: TemplateField, engine: Liquid, text: string) =>
    parseField(field, engine, text, errors);
  const subject = parse('subject', textEngine, source.subject);
  const preheader = source.preheader ? parse('preheader', textEngine, source.preheader) : undefined;
  const own = parse('html', htmlEngine, source.html);
  const givenText = source.text ? parse('text', textEngine, source.text) : undefined;
  if (!subject || !own || errors.length > 0) return { kind: 'invalid', errors };

  const html = source.preheader
    ? parse('html', htmlEngine, insertPreheader(source.html, source.preheader))
    : own;
  const text = givenText ?? parse('text', textEngine, deriveTextSource(source.html));
  if (!html || !text) return { kind: 'invalid', errors };
  rewriteStaticNodes(subject.nodes, joinLines);
  return { kind: 'parsed', templates: { subject, preheader, html, text } };
}

/** A subject is one line, however its Liquid is laid out. */
export function joinLines(part: string): string {
  return part.replace(/\s*[\r\n]\s*/g, ' ');
}

type TemplateField = 'subject' | 'preheader' | 'html' | 'text';

const maxLengths = {
  subject: limits.subjectLength,
  preheader: limits.preheaderLength,
  html: limits.htmlLength,
  text: limits.textLength,
} as const;

function parseField(
  field: TemplateField,
  engine: Liquid,
  source: string,
  errors: SourceError[],
): ParsedTemplate | undefined {
  const tooBig = findExcess(field, source);
  const parsed = tooBig
    ? ({ kind: 'invalid', problem: { detail: tooBig } } as const)
    : parseTemplate(engine, source);
  if (parsed.kind === 'parsed') return parsed.template;
  errors.push({ field, ...parsed.problem });
  return undefined;
}

function findExcess(field: TemplateField, source: string): string | undefined {
  if (source.length > maxLengths[field]) return `longer than ${maxLengths[field]} characters`;
  const tokens = source.split(/\{[{%]/).length - 1 + countLiquidLines(source);
  return tokens > limits.liquidTokens
    ? `more than ${limits.liquidTokens} Liquid tags and outputs`
    : undefined;
}

/** Each line of a `liquid` tag is a tag of its own, and LiquidJS takes quadratic time over many. */
function countLiquidLines(source: string): number {
  const [, ...tags] = source.split(/\{%-?\s*liquid\b/);
  return tags.reduce((lines, tag) => lines + (tag.split('%}', 1)[0] ?? '').split('\n').length, 0);
}
