import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BodyStream } from './body-stream.ts';

it('yields exactly its bytes, however they are cut', async () => {
  const sizes = fc.array(
    fc.oneof(fc.nat(30), fc.integer({ min: 65_530, max: 65_540 }), fc.constant(200_000)),
    {
      maxLength: 12,
    },
  );
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const buffers = lengths.map((length, i) => Buffer.alloc(length, `${i}-`));
      const body = new BodyStream(buffers, () => true);
      expect(Buffer.compare(await buffer(body), Buffer.concat(buffers))).toBe(0);
      expect(body.progress).toBe('ended');
    }),
    { numRuns: 50 },
  );
});

it('hands a buffer that comes alone on without a copy', () => {
  const only = Buffer.from('Subject: Hello\r\n\r\nHello\r\n');
  const body = new BodyStream([only], () => true);
  expect(body.read().buffer).toBe(only.buffer);
});

it('is unread until it is read, and asks once before its first byte', async () => {
  let asked = 0;
  const body = new BodyStream([Buffer.from('a'), Buffer.from('b')], () => ++asked > 0);
  expect([body.progress, asked]).toEqual(['unread', 0]);
  expect(String(await buffer(body))).toBe('ab');
  expect(asked).toBe(1);
});

it('yields nothing when it may not leave', async () => {
  const body = new BodyStream([Buffer.from('a')], () => {
    body.destroy();
    return false;
  });
  const sink = new PassThrough();
  body.pipe(sink);
  await once(body, 'close');
  expect(sink.readableLength).toBe(0);
  expect(sink.writableEnded).toBe(false);
  expect(body.progress).toBe('unread');
});

it('has not ended while whoever reads it holds back', async () => {
  const body = new BodyStream([Buffer.alloc(1_000_000)], () => true);
  const sink = new PassThrough();
  body.pipe(sink);
  await once(sink, 'readable');
  expect(body.progress).toBe('reading');
});
