import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BodyWriter, type ByteSink } from './body-writer.ts';

/** Takes what is written and says so when told to, as a kernel does whose buffers are full. */
class SlowSink implements ByteSink {
  readonly slices: Buffer[] = [];
  readonly #taken: (() => void)[] = [];

  write(bytes: Buffer, written: () => void): void {
    this.slices.push(Buffer.from(bytes));
    this.#taken.push(written);
  }

  take(): void {
    this.#taken.shift()?.();
  }
}

const sizes = fc.array(fc.oneof(fc.nat(30), fc.integer({ min: 65_530, max: 65_540 }), fc.constant(200_000)), {
  minLength: 1,
  maxLength: 12,
});

it('writes exactly its bytes, however they are cut, and has ended with the last of them', () => {
  fc.assert(
    fc.property(sizes, (lengths) => {
      const buffers = lengths.map((length, i) => Buffer.alloc(length, `${i}-`));
      const sink = new SlowSink();
      const body = new BodyWriter(sink, buffers);
      body.start();
      const total = lengths.reduce((sum, length) => sum + length, 0);
      for (let seen = -1; seen < sink.slices.length; sink.take()) {
        seen = sink.slices.length;
        const written = sink.slices.reduce((sum, slice) => sum + slice.length, 0);
        expect(body.progress).toBe(written === total ? 'ended' : 'reading');
      }
      expect(Buffer.compare(Buffer.concat(sink.slices), Buffer.concat(buffers))).toBe(0);
    }),
    { numRuns: 100 },
  );
});

it('writes no slice before the kernel has the one before', () => {
  const sink = new SlowSink();
  const body = new BodyWriter(sink, [Buffer.alloc(100_000)]);
  expect([body.progress, sink.slices.length]).toEqual(['unread', 0]);
  body.start();
  expect([body.progress, sink.slices.length]).toEqual(['reading', 1]);
  sink.take();
  expect([body.progress, sink.slices.length]).toEqual(['ended', 2]);
});

it('does not write into memory that the kernel still has', () => {
  const held: Buffer[] = [];
  const sink: ByteSink = { write: (bytes) => held.push(bytes) };
  for (const text of ['one', 'two']) new BodyWriter(sink, [Buffer.from(text), Buffer.from('.')]).start();
  expect(held.map(String)).toEqual(['one.', 'two.']);
});

it('hands a buffer that fills a slice on without a copy', () => {
  const large = Buffer.alloc(70_000);
  const held: Buffer[] = [];
  new BodyWriter({ write: (bytes) => held.push(bytes) }, [large]).start();
  expect(held[0]?.buffer).toBe(large.buffer);
});

it('writes what is to leave behind the end in the same write, and asks for it then', () => {
  const behind = fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }));
  fc.assert(
    fc.property(sizes, behind, (lengths, text) => {
      const buffers = lengths.map((length, i) => Buffer.alloc(length, `${i}-`));
      const sink = new SlowSink();
      let asked = 0;
      const body = new BodyWriter(sink, buffers, () => {
        asked++;
        expect(body.progress).toBe('ended');
        return text;
      });
      body.start();
      const plain = new SlowSink();
      new BodyWriter(plain, buffers).start();
      for (let seen = -1; seen < plain.slices.length; plain.take(), sink.take()) {
        seen = plain.slices.length;
        expect(sink.slices.length).toBe(seen);
        expect(asked).toBe(body.progress === 'ended' ? 1 : 0);
      }
      const all = Buffer.concat([...buffers, Buffer.from(text)]);
      expect(Buffer.compare(Buffer.concat(sink.slices), all)).toBe(0);
      expect(Buffer.compare(Buffer.concat(buffers), Buffer.concat(plain.slices))).toBe(0);
    }),
    { numRuns: 100 },
  );
});
