/** Text in HTML: safe between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The little Markdown of our own descriptions: code, bold, lists and paragraphs. */
export function renderMarkdown(text: string): string {
  const blocks = text.split(/\n\n+/).map((block) => block.trim());
  return blocks
    .map((block) => (block.startsWith('- ') ? renderList(block) : `<p>${renderInline(block)}</p>`))
    .join('');
}

export function renderInline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>');
}

function renderList(block: string): string {
  const items = block.split(/\n?^- /m).filter((item) => item !== '');
  return `<ul>${items.map((item) => `<li>${renderInline(item)}</li>`).join('')}</ul>`;
}
