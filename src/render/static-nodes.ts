/**
 * Takes the static text out of a parsed template: each node of it is replaced by one that writes a segment's number.
 *
 * Nodes inside `capture` stay as they are, for their text is read back as a value; they, and a replaced node that is
 * evaluated into anything but a message, write their text as LiquidJS would.
 */
import type { Context, Emitter, Template, Token } from 'liquidjs';
import { type BlockTag, childLists, staticText } from './block-tags.ts';
import { MessageEmitter } from './message-emitter.ts';

/** Registers a piece of static text and answers its segment's number. */
export type AddSegment = (text: string) => number;

/** In place: the nodes are ours, freshly parsed. */
export function replaceStaticNodes(nodes: Template[], addSegment: AddSegment): void {
  replaceNodes(nodes, (text, token) =>
    text === '' ? new TextNode(token, '') : new SegmentNode(token, text, addSegment(text)),
  );
}

/** In place: what stands in the source around tags, rewritten (a subject's line breaks). */
export function rewriteStaticNodes(nodes: Template[], rewrite: (text: string) => string): void {
  replaceNodes(nodes, (text, token) => new TextNode(token, rewrite(text)));
}

class TextNode implements Template {
  readonly token: Token;
  readonly #text: string;

  constructor(token: Token, text: string) {
    this.token = token;
    this.#text = text;
  }

  render(_ctx: Context, emitter: Emitter): void {
    emitter.write(this.#text);
  }
}

class SegmentNode extends TextNode {
  readonly #number: number;

  constructor(token: Token, text: string, number: number) {
    super(token, text);
    this.#number = number;
  }

  override render(ctx: Context, emitter: Emitter): void {
    if (emitter instanceof MessageEmitter) emitter.writeSegment(this.#number);
    else super.render(ctx, emitter);
  }
}

function replaceNodes(nodes: Template[], create: (text: string, token: Token) => Template): void {
  for (const [i, node] of nodes.entries()) {
    const text = staticText(node);
    if (text !== undefined) nodes[i] = create(text, node.token);
    else if (!isCapture(node)) for (const children of childLists(node)) replaceNodes(children, create);
  }
}

function isCapture(node: BlockTag): boolean {
  return node.name === 'capture';
}
