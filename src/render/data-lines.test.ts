/** What goes over the wire is, byte for byte, what nodemailer would make of the same message: it is the reference here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toDataLines } from './data-lines.ts';
import type { CompiledMessage, RenderedMessage } from './message.ts';
import { compileMjml } from './mjml.ts';
import { compileSample, renderSample } from './sample-message.ts';
import { messageBuffers, wireBuffers } from './splice.ts';

/** nodemailer 10.6 doesn't export it by name. */
const file = new URL(
  '../../node_modules/nodemailer/dist/esm/smtp-connection/data-stream.js',
  import.meta.url,
);
const { default: DataStream } = (await import(file.href)) as { default: new () => NodeJS.ReadWriteStream };

async function expectAsNodemailer(compiled: CompiledMessage, rendered: RenderedMessage): Promise<void> {
  const chunks = messageBuffers(compiled, rendered).filter((chunk) => chunk.length > 0);
  const reference = await buffer(Readable.from(chunks, { objectMode: false }).pipe(new DataStream()));
  expect(Buffer.concat(wireBuffers(compiled, rendered)).toString('latin1')).toBe(
    reference.toString('latin1'),
  );
}

function renderedFrom(parts: RenderedMessage['parts']): RenderedMessage {
  return { seq: 1, to: 'a@example.org', returnPath: '', needsSmtpUtf8: false, parts };
}

const piece = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', 'a', 'é', ' ', '\0', '='), { maxLength: 6 })
  .map((atoms) => Buffer.from(atoms.join(''), 'latin1'));

test('of any pieces in any order', async () => {
  const parts = fc.array(fc.oneof(fc.nat({ max: 2 }), piece), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(piece, piece, piece), parts, (segments, parts) =>
      expectAsNodemailer({ digest: '', segments }, renderedFrom(parts)),
    ),
    { numRuns: 2000 },
  );
});

test.each([
  ['nothing', []],
  ['a dot alone', ['.']],
  ['a line that begins in another piece', ['Hello\r\n', '.', '.\r\n']],
  ['a line end cut in two', ['Hello\r', '\n.there']],
  ['a dot behind a bare CR', ['Hello\r', '.\r.\n.']],
  ['empty pieces between', ['Hello\r', '', '\n', '', '.']],
])('of %s', async (_, texts) => {
  const own = texts.map((text) => Buffer.from(text));
  await expectAsNodemailer({ digest: '', segments: [] }, renderedFrom(own));
  await expectAsNodemailer({ digest: '', segments: own }, renderedFrom(own.map((_, i) => i)));
});

test('a piece in which nothing is to be changed is not copied', () => {
  const piece = Buffer.from('.Hello\r\nthere.\r\n');
  expect(toDataLines(piece)).toBe(piece);
});

const gallery = new URL('../../../shared/data/mjml/', import.meta.url);

// MJML's own templates, where they are beside the repository; the generated pieces above stand for them elsewhere.
if (existsSync(gallery)) {
  test.each(readdirSync(gallery).filter((name) => name.endsWith('.mjml')))('of %s', async (name) => {
    const mjml = await compileMjml(readFileSync(new URL(name, gallery), 'utf8'));
    if (mjml.kind === 'invalid') throw new Error(JSON.stringify(mjml.errors));
    const template = compileSample({ html: mjml.html.replace(/<td[^>]*>/g, '$&{{ profile.first_name }}') });
    await expectAsNodemailer(template.message, renderSample(template));
  });
}
