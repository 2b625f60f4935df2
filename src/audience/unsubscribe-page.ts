/** The pages behind unsubscribe links: no script, no resource from anywhere, nothing that isn't escaped. */
import { escapeHtml } from '../http/html.ts';

/** Asks; the form posts to the page's own address. */
export function askPage(from: string): string {
  return page(
    'Unsubscribe',
    `<p>Do you want to stop getting ${escapeHtml(from)}?</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">
<button type="submit">Unsubscribe</button></form>`,
  );
}

/** Of one list it says what is left: whoever is on another gets what goes to both, by way of that one. */
export function donePage(from: string, { isOneList }: { readonly isOneList: boolean }): string {
  const rest = '<p>If you are on other lists, you will still get what is sent to those.</p>';
  return page(
    'Unsubscribed',
    `<p>You will not get ${escapeHtml(from)} any more.</p>${isOneList ? `\n${rest}` : ''}`,
  );
}

export function unknownPage(): string {
  return page('Not found', '<p>This link is not valid.</p>');
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"></head>
<body><main><h1>${title}</h1>
${body}
</main></body></html>
`;
}
