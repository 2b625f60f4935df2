/** One recipient's message from a compiled template: segment numbers, and the recipient's own strings. */
import type { CompiledTemplate } from './compile.ts';
import { encodeHeaderText, hasLineBreak } from './header-text.ts';
import { limits } from './limits.ts';
import type { RenderedMessage } from './message.ts';
import { MessageEmitter } from './message-emitter.ts';
import { spellMoment } from './moment.ts';
import { checkRecipient, createScope, type Recipient, type RenderContext } from './recipient.ts';
import { RenderFailure, type SkipReason, toRenderFailure } from './render-failure.ts';
import { evaluateTemplate, type ParsedTemplate } from './template.ts';
import { TextEmitter } from './text-emitter.ts';
import { formatMessageId, formatReturnPath } from './tokens.ts';

export interface Skipped {
  readonly kind: 'skipped';
  readonly reason: SkipReason;
  /** For the tenant to read; at most 200 characters. */
  readonly detail: string;
}

export type RenderResult = { readonly kind: 'rendered'; readonly message: RenderedMessage } | Skipped;

/** Never throws: what fails for one recipient is that recipient's result. */
export function renderRecipient(
  template: CompiledTemplate,
  recipient: Recipient,
  context: RenderContext,
): RenderResult {
  return orSkipped(() => ({ kind: 'rendered', message: renderMessage(template, recipient, context) }));
}

/** Also a subject's, trimmed, and with the white space that multi-line Liquid leaves made single spaces. */
export function renderSubject(
  template: ParsedTemplate,
  recipient: Recipient,
  context: RenderContext,
): string {
  const emitter = new TextEmitter(limits.renderedSubject);
  evaluateTemplate(template, createScope(recipient, context), emitter);
  if (hasLineBreak(emitter.buffer))
    throw new RenderFailure('header_injection', 'a line break or NUL in the subject');
  const subject = emitter.buffer.replace(/[ \t]+/g, ' ').trim();
  if (subject === '') throw new RenderFailure('empty_subject', 'the subject is empty');
  return subject;
}

/** The result, or why there is none. Tries twice where a stalled process may have looked like a slow template. */
export function orSkipped<R>(render: () => R): R | Skipped {
  for (let attempt = 1; ; attempt++) {
    try {
      return render();
    } catch (error) {
      const { reason, message, isTimeout } = toRenderFailure(error);
      if (!isTimeout || attempt === 2) return { kind: 'skipped', reason, detail: message };
    }
  }
}

function renderMessage(
  template: CompiledTemplate,
  recipient: Recipient,
  context: RenderContext,
): RenderedMessage {
  const { email, isSmtpUtf8 } = checkRecipient(recipient);
  const emitter = new MessageEmitter(template.message.segments);
  const fields = [
    email,
    encodeHeaderText(renderSubject(template.templates.subject, recipient, context), 'Subject: '.length),
    spellMoment(context.now).date,
    formatMessageId(recipient.token, template.sendingDomain),
    recipient.unsubscribeUrl,
  ];
  for (const [i, number] of template.head.entries()) {
    emitter.writeSegment(number);
    if (i < fields.length) emitter.writeEncoded(fields[i] as string);
  }
  evaluateTemplate(template.templates.text, createScope(recipient, context), emitter);
  emitter.writeSegment(template.between);
  evaluateTemplate(template.templates.html, createScope(recipient, context), emitter);
  emitter.writeSegment(template.end);
  return {
    seq: recipient.seq,
    to: email,
    returnPath: formatReturnPath(recipient.token, template.bounceDomain),
    needsSmtpUtf8: isSmtpUtf8,
    parts: emitter.finish(),
  };
}
