/** A file's bytes as text, in pieces small enough that parsing one holds up the event loop for a few milliseconds only. */
import { StringDecoder } from 'node:string_decoder';
import { ImportFailure } from './import-row.ts';

export const pieceBytes = 65_536;

/** UTF-8 with or without a byte order mark; bytes that are not UTF-8 become U+FFFD. Throws `ImportFailure` on UTF-16. */
export async function* readText(blocks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let isFirst = true;
  for await (const block of blocks) {
    if (isFirst) assertNotUtf16(block);
    for (let start = 0; start < block.length; start += pieceBytes) {
      const text = decoder.write(block.subarray(start, start + pieceBytes));
      yield isFirst ? text.replace(/^\ufeff/, '') : text;
      isFirst = false;
    }
  }
  const rest = decoder.end();
  if (rest !== '') yield rest;
}

function assertNotUtf16(block: Buffer): void {
  const mark = block.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') {
    throw new ImportFailure('The file is UTF-16: save it as UTF-8');
  }
}
