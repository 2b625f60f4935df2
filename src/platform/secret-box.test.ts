import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecretBox } from './secret-box.ts';

const box = createSecretBox(Buffer.alloc(32, 1));

test('what was sealed opens again', () => {
  expect(box.open(box.seal('pässword', 'row 1'), 'row 1')).toBe('pässword');
  expect(box.open(box.seal('', 'row 1'), 'row 1')).toBe('');
});

test('the same secret is sealed differently each time, and shows nothing of itself', () => {
  const [one, two] = [box.seal('hunter2', 'row 1'), box.seal('hunter2', 'row 1')];
  expect(one.equals(two)).toBe(false);
  expect(one.toString('latin1')).not.toContain('hunter2');
});

test('a secret copied into another row does not open', () => {
  const sealed = box.seal('hunter2', 'row 1');
  expect(() => box.open(sealed, 'row 2')).toThrow("can't be read");
});

test('another key is told apart from damage', () => {
  const sealed = box.seal('hunter2', 'row 1');
  expect(() => createSecretBox(Buffer.alloc(32, 2)).open(sealed, 'row 1')).toThrow('another SECRET_KEY');
});

test('no single changed byte goes unnoticed, nor a cut', () => {
  const sealed = box.seal('hunter2', 'row 1');
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(i) ^ 0x40, i);
    expect(() => box.open(changed, 'row 1')).toThrow("can't be read");
    expect(() => box.open(sealed.subarray(0, i), 'row 1')).toThrow("can't be read");
  }
});

test('random keys open only their own', () => {
  for (let i = 0; i < 50; i++) {
    const [one, two] = [createSecretBox(randomBytes(32)), createSecretBox(randomBytes(32))];
    expect(() => two.open(one.seal('x', 'row'), 'row')).toThrow("can't be read");
  }
});
