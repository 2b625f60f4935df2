/** The OpenAPI document as one page of plain HTML: no script, no other file, its one style allowed by hash. */
import { createHash } from 'node:crypto';
import { renderErrors, renderIntroduction, renderSchemas, renderTag } from './docs-sections.ts';
import { docsStyle } from './docs-style.ts';
import { escapeHtml } from './html.ts';
import type { OpenApiDocument } from './openapi.ts';

export interface DocsPage {
  readonly html: string;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

export function renderDocsPage(document: OpenApiDocument): DocsPage {
  const tags = (document.tags ?? []).map((tag) => tag.name);
  const links = [...tags, 'Schemas', 'Errors'].map(
    (name) => `<a href="#${anchor(name)}">${escapeHtml(name)}</a>`,
  );
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(document.info.title)} API</title><style>${docsStyle}</style></head>
<body><nav><b>${escapeHtml(document.info.title)} API</b>${links.join('')}<a href="/openapi.json">openapi.json</a></nav>
<main>${renderIntroduction(document)}${tags.map((tag) => renderTag(document, tag)).join('')}
${renderSchemas(document)}${renderErrors()}</main></body></html>`;
  const hash = createHash('sha256').update(docsStyle).digest('base64');
  return {
    html,
    policy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; frame-ancestors 'none'`,
  };
}

function anchor(name: string): string {
  return name === 'Errors' || name === 'Schemas'
    ? name.toLowerCase()
    : `tag-${name.toLowerCase().replace(/\W+/g, '-')}`;
}
