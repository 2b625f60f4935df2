/**
 * Header-like fields in blocks parted by empty lines: the body of message/delivery-status (RFC 3464 2.1) and of
 * message/feedback-report (RFC 5965 3), and the header of a returned message. Forgiving, linear, bounded.
 */

/** By lower-case name; of a repeated field the first. Folded lines are parted by `\n`. */
export type Fields = ReadonlyMap<string, string>;

export function readFieldBlocks(text: string): readonly Fields[] {
  const blocks: Map<string, string>[] = [];
  let block: Map<string, string> | undefined;
  for (const lines of unfold(text)) {
    if (lines === '') {
      block = undefined;
      continue;
    }
    block ??= addBlock(blocks);
    addField(block, lines);
  }
  return blocks;
}

/** Reports name one recipient; a text longer than this is no report. */
const longestText = 65_536;

/** Fields with their folded lines; '' for each empty line. */
function unfold(text: string): readonly string[] {
  const unfolded: string[] = [];
  for (const line of text.slice(0, longestText).split(/\r?\n/)) {
    const isFolded = /^[ \t]+\S/.test(line) && unfolded.length > 0 && unfolded.at(-1) !== '';
    if (isFolded) unfolded.push(`${unfolded.pop()}\n${line.trim()}`);
    else unfolded.push(line.trim());
  }
  return unfolded;
}

function addBlock(blocks: Map<string, string>[]): Map<string, string> {
  const block = new Map<string, string>();
  blocks.push(block);
  return block;
}

function addField(block: Map<string, string>, lines: string): void {
  const colon = lines.indexOf(':');
  if (colon < 1) return;
  const name = lines.slice(0, colon).trim().toLowerCase();
  if (!block.has(name)) block.set(name, lines.slice(colon + 1).trim());
}
