/** The preview text that mail programs show beside the subject, as a hidden element at the start of the body. */
import { Tokenizer, TokenKind } from 'liquidjs';
import { htmlEngine } from './liquid-engine.ts';

/**
 * The HTML source with the preheader in it. Both are Liquid that has been parsed before. The element adds no line break,
 * so that lines in later errors are the author's.
 */
export function insertPreheader(html: string, preheader: string): string {
  const element = `<div style="${hidden}">${escapeStaticText(preheader)}</div>`;
  const at = findBodyStart(html);
  return html.slice(0, at) + element + html.slice(at);
}

const hidden =
  'display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all';

/** Behind the opening tag of the body; 0 in a fragment. Liquid inside the tag may hold quotes and `>`, so it is blanked. */
function findBodyStart(html: string): number {
  let blanked = '';
  for (const token of new Tokenizer(html).readTopLevelTokens(htmlEngine.options)) {
    blanked += token.kind === TokenKind.HTML ? token.getText() : ' '.repeat(token.size());
  }
  const body = /<body(?=[\s>])/i.exec(blanked);
  if (!body) return 0;
  restOfTag.lastIndex = body.index;
  return restOfTag.test(blanked) ? restOfTag.lastIndex : 0;
}

const restOfTag = /(?:"[^"]*"|'[^']*'|[^>"'])*>/y;

/** Outputs are escaped when they are evaluated; the author's own text has to be, too. */
function escapeStaticText(source: string): string {
  let escaped = '';
  for (const token of new Tokenizer(source).readTopLevelTokens(htmlEngine.options)) {
    const text = token.getText();
    escaped += token.kind === TokenKind.HTML ? escapeHtml(text).replace(/\s*\n\s*/g, ' ') : text;
  }
  return escaped;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
