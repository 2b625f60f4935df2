/** For people who write templates: what is wrong with one, what might be, and what it looks like to a recipient. */
import type { CompiledTemplate } from './compile.ts';
import { findSizeErrors } from './fixed-size.ts';
import { limits } from './limits.ts';
import { createScope, type Recipient, type RenderContext } from './recipient.ts';
import { orSkipped, renderSubject, type Skipped } from './render.ts';
import type { SourceError, TemplateSource } from './source.ts';
import { parseSource } from './source-templates.ts';
import { evaluateTemplate, type ParsedTemplate } from './template.ts';
import { TextEmitter } from './text-emitter.ts';

export interface SourceWarning {
  readonly code: 'gmail_clips' | 'no_unsubscribe_link';
  readonly field: 'html';
  readonly detail: string;
}

export interface TemplateCheck {
  readonly errors: readonly SourceError[];
  readonly warnings: readonly SourceWarning[];
}

/** Everything that can be said without data. A variable nobody has heard of is no error: it renders empty. */
export function checkTemplate(source: TemplateSource): TemplateCheck {
  const parsed = parseSource(source);
  const errors = parsed.kind === 'invalid' ? parsed.errors : findSizeErrors(parsed.templates);
  return { errors, warnings: findWarnings(source) };
}

/** Of a source that is not the message itself, such as MJML: its Liquid alone. */
export function findSyntaxErrors(source: TemplateSource): readonly SourceError[] {
  const parsed = parseSource(source);
  return parsed.kind === 'invalid' ? parsed.errors : [];
}

export type PreviewResult =
  | {
      readonly kind: 'rendered';
      readonly subject: string;
      readonly preheader: string;
      readonly html: string;
      readonly text: string;
    }
  | Skipped;

/** The message's parts as a mail program would decode them. */
export function previewMessage(
  { templates }: CompiledTemplate,
  recipient: Recipient,
  context: RenderContext,
): PreviewResult {
  const print = (template: ParsedTemplate | undefined) => printTemplate(template, recipient, context);
  return orSkipped(() => ({
    kind: 'rendered',
    subject: renderSubject(templates.subject, recipient, context),
    preheader: print(templates.preheader).trim(),
    html: print(templates.html),
    text: print(templates.text),
  }));
}

/** Gmail hides what comes after about 102 KB behind a link; tracking and the recipient's own values add to the source. */
const gmailClipBytes = 95 * 1024;

/** What does not stop a template, but is worth a look. */
export function findWarnings({ html }: TemplateSource): SourceWarning[] {
  const warnings: SourceWarning[] = [];
  const bytes = Buffer.byteLength(html, 'utf8');
  if (bytes > gmailClipBytes) {
    const detail = `${Math.round(bytes / 1024)} KB of HTML: Gmail clips messages at about 102 KB`;
    warnings.push({ code: 'gmail_clips', field: 'html', detail });
  }
  if (!/\bunsubscribe_url\b/.test(html)) {
    const detail = 'no {{ unsubscribe_url }} in the HTML: only the header offers to unsubscribe';
    warnings.push({ code: 'no_unsubscribe_link', field: 'html', detail });
  }
  return warnings;
}

function printTemplate(
  template: ParsedTemplate | undefined,
  recipient: Recipient,
  context: RenderContext,
): string {
  if (!template) return '';
  const emitter = new TextEmitter(limits.messageBytes);
  evaluateTemplate(template, createScope(recipient, context), emitter);
  return emitter.buffer;
}
