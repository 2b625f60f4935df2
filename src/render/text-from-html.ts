/**
 * The text alternative of an HTML template, once per template: the Liquid source of a text that goes through the same
 * conditions and loops and prints the same values.
 *
 * Tags and outputs become single private-use characters, which pass through the HTML parser wherever they stand, between
 * table rows or inside a link's href; then they are put back. A tag that got lost with what it stood in (a style, an
 * attribute, a comment) is put back behind the tag it followed, so that every condition and loop stays whole.
 */
import { compile } from 'html-to-text';
import { Tokenizer, TokenKind } from 'liquidjs';
import { htmlEngine } from './liquid-engine.ts';

/** `html` has been parsed by LiquidJS before: its tags are well-formed. */
export function deriveTextSource(html: string): string {
  const marked = markLiquid(html);
  return restoreLiquid(tidyText(convertHtml(marked.html)), marked);
}

interface MarkedHtml {
  readonly html: string;
  /** By number; a tag's mark is a character of plane 16, an output's one of plane 15. */
  readonly tags: readonly string[];
  readonly outputs: readonly string[];
}

const firstTag = 0x100000;
const firstOutput = 0xf0000;
const anyMark = /[\u{F0000}-\u{10FFFF}]/gu;

/** Blocks in brackets as in RFC 3986 appendix C, and everything on the line it makes: quoted-printable wraps. */
const convertHtml = compile({
  wordwrap: false,
  limits: { maxDepth: 250 },
  selectors: [
    {
      selector: 'a',
      options: { linkBrackets: ['<', '>'], hideLinkHrefIfSameAsText: true, noAnchorUrl: true },
    },
    { selector: 'img', format: 'skip' },
    { selector: 'tr', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

function markLiquid(html: string): MarkedHtml {
  const tags: string[] = [];
  const outputs = new Map<string, number>();
  let marked = '';
  for (const token of topLevelTokens(html)) {
    if (token.kind === TokenKind.HTML) marked += token.text.replace(anyMark, '');
    else if (token.kind === TokenKind.Tag)
      marked += String.fromCodePoint(firstTag + tags.push(token.text) - 1);
    else marked += String.fromCodePoint(firstOutput + numberOf(outputs, token.text));
  }
  // Cells without white space between them would run together.
  return { html: marked.replace(/<\/t[dh]\s*>/gi, '$& '), tags, outputs: [...outputs.keys()] };
}

interface SourceToken {
  readonly kind: TokenKind;
  readonly text: string;
}

/** Without comments, with raw text as text, and with whitespace control done: in a text it would eat line breaks. */
function* topLevelTokens(html: string): Generator<SourceToken> {
  let isComment = false;
  for (const token of new Tokenizer(html).readTopLevelTokens(htmlEngine.options)) {
    const name = token.kind === TokenKind.Tag ? (token as unknown as { name: string }).name : '';
    if (name === 'comment' || name === 'endcomment') isComment = name === 'comment';
    else if (isComment || name === 'raw' || name === 'endraw' || name === '#') continue;
    else if (token.kind === TokenKind.HTML) {
      yield { kind: token.kind, text: (token as unknown as { getContent(): string }).getContent() };
    } else {
      yield {
        kind: token.kind,
        text: token
          .getText()
          .replace(/^(\{[{%])-/, '$1')
          .replace(/-([}%]\})$/, '$1'),
      };
    }
  }
}

function numberOf(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text) ?? numbers.size;
  numbers.set(text, known);
  return known;
}

/**
 * At most one empty line at a time, and no lines for tags alone: of the breaks around them, those before stay before,
 * and those after stay where they are more. So a loop repeats its rows, and what is left out leaves no gap.
 */
function tidyText(text: string): string {
  let tidy = '';
  let needed = 0;
  let made = maxBreaks;
  for (const line of text
    .replace(invisible, '')
    .replace(/[\u00a0\u2007]/g, ' ')
    .split('\n')) {
    if (line.trim() !== '') {
      const isTags = tagsOnly.test(line);
      const breaks = Math.max(0, Math.min(needed, maxBreaks) - made);
      tidy += '\n'.repeat(breaks) + (isTags ? line.replace(/[ \t]/g, '') : line.trimEnd());
      made = isTags ? made + breaks : 0;
      needed = 0;
    }
    needed++;
  }
  return made === 0 ? `${tidy}\n` : tidy;
}

const maxBreaks = 2;
const tagsOnly = /^(?:[ \t]*[\u{100000}-\u{10FFFF}])+[ \t]*$/u;
/** Soft hyphen, combining grapheme joiner and zero-width characters: filler of HTML mail. */
const invisible = /\u00ad|\u034f|[\u200b\u200c]|\u200d|\ufeff/g;

function restoreLiquid(text: string, { tags, outputs }: MarkedHtml): string {
  const lost = placeLostTags(text, tags);
  const restored = text
    // Braces of the text's own must not be read as Liquid.
    .replace(/\{(?=[{%\u{F0000}-\u{10FFFF}])/gu, '{{ "{" }}')
    .replace(anyMark, (mark) => {
      const point = mark.codePointAt(0) as number;
      if (point < firstTag) return outputs[point - firstOutput] ?? '';
      const number = point - firstTag;
      return (tags[number] ?? '') + (lost.get(number) ?? '');
    });
  return (lost.get(-1) ?? '') + restored;
}

/** For each tag that survived (or -1, the beginning): the lost ones that followed it. */
function placeLostTags(text: string, tags: readonly string[]): ReadonlyMap<number, string> {
  const lost = new Map<number, string>();
  const survivors = new Set(text.match(anyMark));
  let survivor = -1;
  for (const [number, tag] of tags.entries()) {
    if (survivors.has(String.fromCodePoint(firstTag + number))) survivor = number;
    else lost.set(survivor, (lost.get(survivor) ?? '') + tag);
  }
  return lost;
}
