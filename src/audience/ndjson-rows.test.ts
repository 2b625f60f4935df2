import { expect, test } from 'vitest';
import type { TenantId } from '../ids.ts';
import { createNdjsonReader } from './ndjson-rows.ts';

function read(text: string) {
  const reader = createNdjsonReader({ tenantId: 1 as TenantId, addressKey: Buffer.alloc(32) });
  return [...reader.push(text), ...reader.end()].map((row) =>
    row.kind === 'profile' ? [row.line, row.patch.email] : [row.line, row.field, row.detail],
  );
}

test('each line is what creating a profile takes, and a bad one leaves the others alone', () => {
  const lines = [
    '{"email":"a@example.com","attributes":{"n":1,"tags":["x",{"y":null}]},"phone":null}',
    '',
    '{"email":"b@example.com"',
    '[1]',
    '{"email":"c@example.com","plan":"gold"}',
    '{"attributes":{}}',
    '{"email":"d@example.com","attributes":{"a b":1}}',
    '{"email":"e@example.com","attributes":{"deep":{"a":{"b":{"c":{"d":{"e":{}}}}}}}}',
    '{"email":"f@example.com","attributes":{"n":1e999}}',
    '{"email":"g@example.com","attributes":{"s":"\\ud800"}}',
    '{"email":"\ufffd@example.com"}',
    '{"email":"h@example.com","consent":{"status":"subscribed","source":"form","at":"2026-01-01T00:00:00Z"}}',
    `{"email":"i@example.com","attributes":{"x":"${'a'.repeat(300_000)}"}}`,
    `{"email":"j@example.com","attributes":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
    '{"email":"k@example.com"}',
    '{"email":"l@example.com","attributes":{"__proto__":{"x":1}}}',
  ];
  expect(read(lines.join('\r\n'))).toEqual([
    [1, 'a@example.com'],
    [3, undefined, 'is not JSON'],
    [4, undefined, expect.any(String)],
    [5, '/plan', 'is not a known field'],
    [6, '/email', 'is required'],
    [7, '/attributes/a b', expect.stringContaining('templates cannot reach')],
    [8, expect.stringContaining('/attributes/deep'), 'is nested deeper than 5 levels'],
    [9, '/attributes/n', expect.any(String)],
    [10, '/attributes/s', 'holds half a surrogate pair'],
    [11, undefined, 'is not UTF-8'],
    [12, 'h@example.com'],
    [13, undefined, 'is longer than 262144 characters'],
    [14, expect.stringContaining('/attributes/x'), 'is nested deeper than 5 levels'],
    [15, 'k@example.com'],
    [16, undefined, 'has the name `__proto__`, which is not taken'],
  ]);
});
