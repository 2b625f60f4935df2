/**
 * Templates that run away within one node, where LiquidJS looks at no clock. Each runs under a watchdog that ends it from outside, so that one that is not
 * stopped fails its test and not the suite.
 */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { type RenderResult, renderRecipient } from './render.ts';
import { compileSample, decodeParts, sampleContext, sampleRecipient, wireText } from './sample-message.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** Ten times what one part may take: a slow machine is no runaway. */
const watchdogMs = 1_000;

function renderWatched(text: string, attributes: Attributes = {}): RenderResult {
  const template = compileSample({ html: '<p>Hi</p>', text });
  const render = () => renderRecipient(template, { ...sampleRecipient, attributes }, sampleContext);
  return runInNewContext('render()', { render }, { timeout: watchdogMs }) as RenderResult;
}

describe('a range that counting up never leaves is refused', () => {
  const limits = { a: 2 ** 53, b: 2 ** 53 + 2, texts: ['9007199254740992', '9007199254740994'] };
  test.each([
    '{% for i in (9007199254740992..9007199254740994) %}{% endfor %}',
    '{% for i in (-9007199254740996..-9007199254740992) %}{% endfor %}',
    '{% for i in (9007199254740990..9007199254740994) limit: 1 %}{% endfor %}',
    '{% for i in (profile.a..profile.b) %}{% endfor %}',
    '{% for i in (profile.texts[0]..profile.texts[1]) %}{% endfor %}',
    '{% tablerow i in (profile.a..profile.b) %}{% endtablerow %}',
    '{% assign r = (profile.a..profile.b) %}',
    '{{ (profile.a..profile.b) | size }}',
    '{{ "x" | append: (profile.a..profile.b) }}',
    '{% if (profile.a..profile.b) contains 1 %}{% endif %}',
    '{% case 1 %}{% when (profile.a..profile.b) %}{% endcase %}',
    '{% for i in (1..2) limit: (profile.a..profile.b) %}{% endfor %}',
    '{% cycle (profile.a..profile.b), 1 %}',
    '{% echo (profile.a..profile.b) %}',
    '{% liquid assign r = (profile.a..profile.b) %}',
    '{{ profile.texts[(profile.a..profile.b)] }}',
    '{{ profile.texts | where_exp: "t", "t == (profile.a..profile.b)" }}',
    '{{ profile.texts | group_by_exp: "t", "(profile.a..profile.b)" }}',
    '{% for i in (profile.nothing..profile.b) %}{% endfor %}',
  ])('%s', (text) => {
    expect(renderWatched(text, limits)).toEqual({
      kind: 'skipped',
      reason: 'render_limit',
      detail: 'a range begins or ends beyond 1000000000000000',
    });
  });

  test('one that it leaves is what it was', () => {
    const text =
      '{% for i in (999999999999998.."1e15") %}{{ i }} {% endfor %}{{ (0.5..2) | join }} {{ ("a"..3) }}.';
    const sent = decodeParts(wireText({ html: '<p>Hi</p>', text })).text;
    expect(sent).toBe('999999999999998 999999999999999 1000000000000000 0.5 1.5 2.5 .');
  });
});

describe('a filter that does too much between two looks at the clock is stopped', () => {
  const chain = (filter: string) => `{{ "${'%'.repeat(1000)}"${` | ${filter}`.repeat(20_000)} | size }}`;
  const many = '{{ (1..1900000) | ';
  const long = { t: 'a'.repeat(300_000), p: `${'a'.repeat(125)}b${'a'.repeat(100_000)}` };
  const alike = { t: 'a'.repeat(200_000), p: `${'a'.repeat(50_000)}b${'a'.repeat(50_000)}` };
  const path = { l: Array.from({ length: 20_000 }, () => ({})), p: `a${'.a'.repeat(30_000)}` };
  test.each<[string, string, Attributes]>([
    ['uncounted growth', chain('url_encode'), {}],
    ['uncounted growth', chain('cgi_escape'), {}],
    ['uncounted growth', chain('uri_escape'), {}],
    ['a long chain', `{{ profile.t${' | slugify'.repeat(10_000)} | size }}`, { t: 'a'.repeat(200_000) }],
    ['an expression for each item', `${many}has_exp: "i", "i == 0" }}`, {}],
    ['a search for each item', `${many}find_exp: "i", "profile.t contains profile.p" }}`, long],
    ['a property of each item', `${many}find_index: "a", 3 }}`, {}],
    ['a long path of each item', '{{ profile.l | map: profile.p | size }}', path],
    ['a long path of each item', '{{ profile.l | where: profile.p | size }}', path],
    ['a search', '{{ profile.t | split: profile.p | size }}', long],
    ['a search', '{{ profile.t | remove: profile.p | size }}', long],
    ['a search', '{% if profile.t contains profile.p %}x{% endif %}', long],
    ['a search from the end', '{{ profile.t | remove_last: profile.p | size }}', alike],
    ['a search from the end', '{{ profile.t | replace_last: profile.p, "x" | size }}', alike],
  ])('%s', (_, text, attributes) =>
    expect(renderWatched(text, attributes)).toMatchObject({ kind: 'skipped', reason: 'render_limit' }),
  );
});
