/** From what a person wrote (MJML or HTML) to the HTML that is stored, with everything that is wrong with it, by place. */
import type { FieldError } from '../errors.ts';
import { compileMjml, type MjmlError } from '../render/mjml.ts';
import { checkTemplate, findSyntaxErrors, type SourceWarning } from '../render/preview.ts';
import type { SourceError } from '../render/source.ts';

/** Exactly one of `mjml` and `html`. */
export interface WrittenTemplate {
  readonly subject: string;
  readonly preheader?: string | undefined;
  readonly mjml?: string | undefined;
  readonly html?: string | undefined;
  readonly text?: string | undefined;
}

export interface TemplateWarning {
  readonly code: SourceWarning['code'];
  readonly pointer: string;
  readonly detail: string;
}

export type TemplateResult =
  | { readonly kind: 'valid'; readonly html: string; readonly warnings: readonly TemplateWarning[] }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] };

/** Never throws for what is in the template. */
export async function compileTemplate(written: WrittenTemplate): Promise<TemplateResult> {
  const { mjml, html = '' } = written;
  return mjml === undefined ? compileHtml(written, html) : compileFromMjml(written, mjml);
}

function compileHtml(written: WrittenTemplate, html: string): TemplateResult {
  const { errors, warnings } = checkTemplate({ ...written, html });
  if (errors.length > 0) return { kind: 'invalid', errors: errors.map(toError) };
  return { kind: 'valid', html, warnings: warnings.map((warning) => toWarning(warning, '/html')) };
}

/**
 * Liquid is checked in the MJML source first, where its errors have the lines the author knows; then in the HTML that came of it,
 * where it may be broken anew, or too long.
 */
async function compileFromMjml(written: WrittenTemplate, mjml: string): Promise<TemplateResult> {
  const asWritten = findSyntaxErrors({ ...written, html: mjml }).map((error) => inMjml(toError(error)));
  const compiled = await compileMjml(mjml);
  const ofMjml = compiled.kind === 'invalid' ? compiled.errors.map(toMjmlError) : [];
  const errors = [...asWritten, ...ofMjml];
  if (compiled.kind === 'invalid' || errors.length > 0) return { kind: 'invalid', errors };
  const { errors: inHtml, warnings } = checkTemplate({ ...written, html: compiled.html });
  if (inHtml.length > 0) return { kind: 'invalid', errors: inHtml.map(toErrorOfResult) };
  return {
    kind: 'valid',
    html: compiled.html,
    warnings: warnings.map((warning) => toWarning(warning, '/mjml')),
  };
}

function toError({ field, line, column, detail }: SourceError): FieldError {
  const place = { ...(line !== undefined && { line }), ...(column !== undefined && { column }) };
  return { pointer: `/${field}`, ...place, detail };
}

function inMjml(error: FieldError): FieldError {
  return error.pointer === '/html' ? { ...error, pointer: '/mjml' } : error;
}

function toMjmlError({ line, detail }: MjmlError): FieldError {
  return { pointer: '/mjml', ...(line !== undefined && { line }), detail };
}

/** Lines of the HTML would mislead: the author has never seen it. */
function toErrorOfResult({ field, detail }: SourceError): FieldError {
  if (field !== 'html') return { pointer: `/${field}`, detail };
  return { pointer: '/mjml', detail: `in the HTML made of it: ${detail}` };
}

function toWarning({ code, detail }: SourceWarning, pointer: string): TemplateWarning {
  return { code, pointer, detail };
}
