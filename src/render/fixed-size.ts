/**
 * What a template can be told without data: that its messages are too large whoever gets them. What counts is the text that no tag stands around, as it is
 * sent; encoded Cyrillic is three times its UTF-8, and the text part made from the HTML comes on top. Else such a campaign would be
 * ready, and all of its recipients skipped.
 */
import type { Template } from 'liquidjs';
import { type BlockTag, childLists, staticText } from './block-tags.ts';
import { limits } from './limits.ts';
import { encodeQuotedPrintable } from './quoted-printable.ts';
import type { SourceError } from './source.ts';
import { joinLines, type SourceTemplates } from './source-templates.ts';

/** `frame`: the header and what stands around the parts, where they are known. */
export function findSizeErrors(
  { subject, html, text }: SourceTemplates,
  frame: readonly string[] = [],
): SourceError[] {
  const subjectLength = joinLines([...unconditionalTexts(subject.nodes)].join('')).length;
  const errors: SourceError[] = [];
  if (subjectLength > limits.renderedSubject) {
    const detail = `its fixed text alone has ${subjectLength} characters: a subject has at most ${limits.renderedSubject}`;
    errors.push({ field: 'subject', detail });
  }
  const bodies = { html: measure(html.nodes), text: measure(text.nodes) };
  const bytes = lengthOf(frame) + bodies.html.bytes + bodies.text.bytes;
  const parts = frame.length + bodies.html.parts + bodies.text.parts;
  if (bytes > limits.messageBytes) {
    const shares = `HTML ${bodies.html.bytes}, text ${bodies.text.bytes}`;
    const detail = `the fixed text alone is ${bytes} bytes as sent (${shares}): a message has at most ${limits.messageBytes}`;
    errors.push({ field: 'html', detail });
  } else if (parts > limits.messageParts) {
    const detail = `its tags and outputs cut the fixed text into ${parts} parts: a message has at most ${limits.messageParts}`;
    errors.push({ field: 'html', detail });
  }
  return errors;
}

interface Size {
  readonly bytes: number;
  readonly parts: number;
}

function measure(nodes: readonly Template[]): Size {
  const texts = [...unconditionalTexts(nodes)].filter((text) => text !== '').map(encodeQuotedPrintable);
  return { bytes: lengthOf(texts), parts: texts.length };
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0);
}

/** Of the nodes that are not yet replaced by segments. */
function* unconditionalTexts(nodes: readonly Template[]): Generator<string> {
  for (const node of nodes) {
    const text = staticText(node);
    if (text !== undefined) yield text;
    else if (canEndTemplate(node)) return;
  }
}

/** A `break` outside of any loop ends the whole template. */
function canEndTemplate(node: BlockTag): boolean {
  if (node.name === 'break' || node.name === 'continue') return true;
  const lists = node.name === 'for' ? [node.elseTemplates ?? []] : childLists(node);
  return lists.some((children) => children.some(canEndTemplate));
}
