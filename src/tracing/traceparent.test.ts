import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const hex = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''))
    .filter((text) => /[^0]/.test(text));

test('a span survives its way through text', () => {
  const spans = fc.record({
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(spans, (span) => {
      expect(parseTraceparent(formatTraceparent(span))).toEqual({ ...span, isRemote: true });
    }),
  );
});

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

test('the example of the specification is read', () => {
  expect(parseTraceparent(`00-${trace}-${span}-01`)).toEqual({
    ...{ traceId: trace, spanId: span, traceFlags: 1, isRemote: true },
  });
});

test.each([
  ['of another version', `01-${trace}-${span}-01`],
  ['without a trace', `00-${'0'.repeat(32)}-${span}-01`],
  ['without a span', `00-${trace}-${'0'.repeat(16)}-01`],
  ['in capitals', `00-${trace.toUpperCase()}-${span}-01`],
  ['with more behind it', `00-${trace}-${span}-01-x`],
  ['that is empty', ''],
  ['that is null', null],
  ['that is missing', undefined],
])('one %s counts as missing', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test('a span that nothing records has none', () => {
  const none = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
  expect(formatTraceparent(none)).toBeUndefined();
});
