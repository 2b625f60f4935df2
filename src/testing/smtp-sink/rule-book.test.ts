import { describe, expect, test } from 'vitest';
import type { Condition, Rule } from './rule.ts';
import { isInShare, RuleBook, type Subject } from './rule-book.ts';

const hangup = { do: 'hangup' } as const;

function bookOf(rules: readonly Rule[], seed = 1): RuleBook {
  const book = new RuleBook({
    seed,
    providerOf: (domain) => domain.split('.')[0] ?? '',
    fired: () => undefined,
  });
  book.set(rules);
  return book;
}

function about(...addresses: string[]): Subject {
  return { connectionId: 1, messageOnConnection: 1, addresses };
}

/** Which of so many moments the rule fires at. */
function moments(when: Condition, count: number, seed = 1): number[] {
  const book = bookOf([{ id: 'it', stage: 'rcpt', when, action: hangup }], seed);
  const all = Array.from({ length: count }, (_, at) => at + 1);
  return all.filter(() => book.take('rcpt', about('a@b.example')) !== undefined);
}

describe('a rule', () => {
  test('acts at its stage only', () => {
    const book = bookOf([{ stage: 'mail', action: hangup }]);
    expect([book.has('mail'), book.has('rcpt')]).toEqual([true, false]);
    expect(book.take('rcpt', about())).toBeUndefined();
    expect(book.take('mail', about())).toMatchObject({ id: 'rule-1' });
  });

  test.each<[string, Condition, string, boolean]>([
    ['by domain, in any case', { toDomain: 'Gmail.com' }, 'x@GMAIL.com', true],
    ['by one of several domains', { toDomain: ['a.example', 'b.example'] }, 'x@b.example', true],
    ['not by the end of a domain', { toDomain: 'gmail.com' }, 'x@notgmail.com', false],
    ['by address', { toAddress: ['x@a.example'] }, 'X@a.example', true],
    ['by provider', { provider: 'yahoo' }, 'x@yahoo.com', true],
    ['only when all holds', { provider: 'yahoo', toAddress: 'y@yahoo.com' }, 'x@yahoo.com', false],
  ])('picks recipients %s', (_, when, address, fires) => {
    const book = bookOf([{ stage: 'rcpt', when, action: hangup }]);
    expect(book.take('rcpt', about(address)) !== undefined).toBe(fires);
  });

  test('never picks a recipient before there is one', () => {
    const book = bookOf([{ stage: 'mail', when: { toDomain: 'gmail.com' }, action: hangup }]);
    expect(book.take('mail', about())).toBeUndefined();
  });

  test('picks connections and their later messages', () => {
    const when = { connection: 2, fromMessageOnConnection: 3 };
    const book = bookOf([{ stage: 'mail', when, action: hangup }]);
    const fires = (connectionId: number, messageOnConnection: number): boolean =>
      book.take('mail', { connectionId, messageOnConnection, addresses: [] }) !== undefined;
    expect([fires(1, 3), fires(2, 2), fires(2, 3), fires(2, 4)]).toEqual([false, false, true, true]);
  });

  test.each<[Condition, number[]]>([
    [{ nth: 3 }, [3]],
    [{ fromNth: 5 }, [5, 6, 7]],
    [{ everyNth: 3 }, [3, 6]],
  ])('picks moments: %j', (when, expected) => {
    expect(moments(when, 7)).toEqual(expected);
  });

  test('fires by chance, the same way for the same seed', () => {
    const first = moments({ probability: 0.25 }, 1000);
    expect(first.length).toBeGreaterThan(200);
    expect(first.length).toBeLessThan(300);
    expect(moments({ probability: 0.25 }, 1000)).toEqual(first);
    expect(moments({ probability: 0.25 }, 1000, 2)).not.toEqual(first);
  });

  test('picks a share of addresses that can be told beforehand and stays the same', () => {
    const book = bookOf([{ id: 'gone', stage: 'rcpt', when: { addressShare: 0.1 }, action: hangup }], 7);
    const addresses = Array.from({ length: 2000 }, (_, at) => `user${at}@a.example`);
    const picked = addresses.filter((address) => book.take('rcpt', about(address)) !== undefined);
    const again = addresses.toReversed().filter((address) => book.take('rcpt', about(address)) !== undefined);
    expect(picked).toEqual(
      addresses.filter((one) => isInShare({ seed: 7, ruleId: 'gone', share: 0.1 }, one)),
    );
    expect(again.toReversed()).toEqual(picked);
    expect(picked.length).toBeGreaterThan(150);
    expect(picked.length).toBeLessThan(250);
  });

  test('is spent after its times, in all and per address', () => {
    const twice = bookOf([{ id: 'it', stage: 'rcpt', times: 2, action: hangup }]);
    const taken = [1, 2, 3, 4].filter(() => twice.take('rcpt', about('a@b.example')) !== undefined);
    expect(taken).toEqual([1, 2]);

    const greylist = bookOf([{ stage: 'rcpt', timesPerAddress: 1, action: hangup }]);
    const tries = ['a@b.example', 'c@d.example', 'a@b.example', 'c@d.example'];
    expect(tries.map((one) => greylist.take('rcpt', about(one)) !== undefined)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('gives way to those before it, without counting', () => {
    const book = bookOf([
      { id: 'first', stage: 'rcpt', times: 1, action: hangup },
      { id: 'second', stage: 'rcpt', when: { nth: 1 }, action: hangup },
    ]);
    const taken = [1, 2, 3].map(() => book.take('rcpt', about('a@b.example'))?.id);
    expect(taken).toEqual(['first', 'second', undefined]);
    expect(book.hits('second')).toBe(0);
    for (const id of ['first', 'second']) book.fired(id);
    expect(book.states().map(({ rule, hits }) => [rule.id, hits])).toEqual([
      ['first', 1],
      ['second', 1],
    ]);
  });

  test('has an id of its own', () => {
    const book = bookOf([{ id: 'it', stage: 'rcpt', action: hangup }]);
    expect(() => book.add({ id: 'it', stage: 'mail', action: hangup })).toThrow('There is a rule it already');
    expect(() => book.hits('other')).toThrow('There is no rule other');
  });
});
