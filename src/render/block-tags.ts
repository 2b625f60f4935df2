/** Where LiquidJS's parsed nodes keep the nodes inside them. */
import { type Template, type Token, TokenKind } from 'liquidjs';

/** What the block tags have in common, by shape: LiquidJS has no interface for it. */
export interface BlockTag extends Template {
  readonly name?: string;
  readonly templates?: Template[];
  readonly elseTemplates?: Template[];
  readonly branches?: readonly { readonly templates: Template[] }[];
}

/** The lists of nodes directly inside a node, in the order of its branches. */
export function childLists({ templates, branches, elseTemplates }: BlockTag): Template[][] {
  return [templates ?? [], ...(branches?.map((branch) => branch.templates) ?? []), elseTemplates ?? []];
}

/** The text of a node that is nothing else, without what whitespace control trims. */
export function staticText(node: BlockTag): string | undefined {
  if (node.token.kind === TokenKind.HTML) return (node.token as HtmlToken).getContent();
  return node.name === 'raw' ? String((node as unknown as { render(): string }).render()) : undefined;
}

interface HtmlToken extends Token {
  getContent(): string;
}
