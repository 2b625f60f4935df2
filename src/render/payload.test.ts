import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestSegments } from './compile.ts';
import type { RenderedMessages } from './message.ts';
import { decodeRendered, decodeSegments, encodedSize, encodeRendered, encodeSegments } from './payload.ts';
import { compileSample, renderSample } from './sample-message.ts';
import { messageBuffers, messageSize } from './splice.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const messages = fc.array(
  fc.record({
    seq: fc.nat({ max: 499 }),
    to: fc.string({ unit: 'grapheme', maxLength: 60 }),
    returnPath: fc.string({ maxLength: 60 }),
    needsSmtpUtf8: fc.boolean(),
    parts: fc.array(fc.oneof(fc.nat({ max: 2 ** 31 }), bytes), { maxLength: 40 }),
  }),
  { maxLength: 6 },
);
const digest = 'ab'.repeat(32);

const all = (list: RenderedMessages) => Array.from({ length: list.length }, (_, n) => list.at(n));

test('what is encoded is decoded, without copying', () => {
  fc.assert(
    fc.property(messages, (list) => {
      const value = encodeRendered(digest, list);
      const decoded = decodeRendered(value);
      expect({ digest: decoded.digest, messages: all(decoded.messages) }).toEqual({ digest, messages: list });
      for (const part of all(decoded.messages).flatMap((message) => message?.parts ?? [])) {
        if (typeof part !== 'number' && part.length > 0) expect(part.buffer).toBe(value.buffer);
      }
    }),
  );
});

test('the size of a message in a grant is known before it is encoded', () => {
  fc.assert(
    fc.property(messages, (list) => {
      const sizes = list.reduce((sum, message) => sum + encodedSize(message), 0);
      expect(encodeRendered(digest, list).length).toBe(41 + sizes);
    }),
  );
});

test('a truncated, lengthened or foreign value is refused', () => {
  const value = encodeRendered(digest, [renderSample(compileSample({}))]);
  for (let length = 0; length < value.length; length++) {
    expect(() => decodeRendered(value.subarray(0, length))).toThrow(RangeError);
  }
  expect(() => decodeRendered(Buffer.concat([value, Buffer.alloc(1)]))).toThrow(/says it has/);
  expect(() => decodeSegments(value)).toThrow(/not a SlS value/);
  expect(() => decodeRendered(Buffer.from('{"json":true}'.repeat(9)))).toThrow(/not a SlR value/);
});

test('a value of another release is refused, and says so', () => {
  const value = encodeRendered(digest, []);
  value[3] = 2;
  expect(() => decodeRendered(value)).toThrow('SlR version 2, this release reads 1');
});

test('bytes changed at random are refused at once or decoded, and nothing else', () => {
  const value = encodeRendered(digest, [renderSample(compileSample({}))]);
  fc.assert(
    fc.property(fc.nat({ max: value.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      const changed = Buffer.from(value);
      changed[at] = byte;
      let decoded: RenderedMessages;
      try {
        decoded = decodeRendered(changed).messages;
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return;
      }
      expect(all(decoded)).toHaveLength(decoded.length);
    }),
    { numRuns: 2000 },
  );
});

test('segments come back whole, and a changed one does not match its digest', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 20 }), (segments) => {
      const compiled = { digest: digestSegments(segments), segments };
      expect(decodeSegments(encodeSegments(compiled))).toEqual(compiled);
    }),
  );
  const value = encodeSegments(compileSample({}).message);
  value[value.length - 1] = 0x78;
  expect(() => decodeSegments(value)).toThrow('segments do not match their digest');
});

test('a message is spliced from the segments as they are', () => {
  const template = compileSample({ html: '<p>{{ profile.first_name }}</p>' });
  const rendered = renderSample(template);
  const buffers = messageBuffers(template.message, rendered);
  expect(buffers.filter((buffer) => template.message.segments.includes(buffer)).length).toBeGreaterThan(5);
  expect(messageSize(template.message, rendered)).toBe(Buffer.concat(buffers).length);
});

test('a message that names a segment its compiled message lacks is a bug, and throws', () => {
  const rendered = { ...renderSample(compileSample({})), parts: [99] };
  expect(() => messageBuffers(compileSample({}).message, rendered)).toThrow(RangeError);
});
