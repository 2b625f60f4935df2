import { Liquid } from 'liquidjs';
import mjml2html from 'mjml';
import { beforeAll, describe, expect, test } from 'vitest';
import { type BlackFridayTemplate, readBlackFriday } from './black-friday.ts';
import { type DemoProfile, profileAt } from './demo-profile.ts';

const liquid = new Liquid({ outputEscape: 'escape', ownPropertyOnly: true, strictFilters: true });
let source: BlackFridayTemplate;
let html: string;

beforeAll(async () => {
  source = await readBlackFriday();
  const compiled = await mjml2html(source.mjml, { validationLevel: 'strict', fonts: {} });
  html = compiled.html;
});

function render(template: string, profile: Partial<DemoProfile>, now = '2026-11-26T10:30:00.000Z'): string {
  const campaign = { id: 'cmp_demo', name: 'Black Friday' };
  return liquid.parseAndRenderSync(template, {
    profile,
    campaign,
    now,
    unsubscribe_url: 'https://u.example.com/t?a=1&b=2',
  });
}

function textOf(page: string): string {
  return page.replace(/<style[\s\S]*?<\/style>|<!--[\s\S]*?-->|<[^>]+>/g, ' ').replace(/\s+/g, ' ');
}

describe('the Black Friday mail', () => {
  test('is as heavy as real ones, and not clipped by Gmail', () => {
    for (const size of [html.length, render(html, {}).length]) {
      expect(size).toBeGreaterThan(30 * 1024);
      expect(size).toBeLessThan(95 * 1024);
    }
  });

  test('leaves no Liquid behind, whoever gets it', () => {
    for (let number = 0; number < 200; number++) {
      const profile = profileAt(1, number);
      for (const template of [source.subject, source.preheader, html]) {
        expect(render(template, profile)).not.toMatch(/\{\{|\{%|\}\}|%\}|undefined|\[object/);
      }
    }
  });

  test('speaks to the person', () => {
    const page = textOf(
      render(html, {
        email: 'fake@gmail.com',
        first_name: 'Zoë <b>',
        loyalty_tier: 'gold',
        loyalty_points: '2120',
        coupon_code: 'BF26-X',
        locale: 'de-DE',
        signup_date: '2019-03-01',
        recently_viewed: 'Kettle "Nordic", 1.7 l|Fjäll wool throw',
        last_order_product: 'Beeswax candles & snuffer',
      }),
    );
    expect(page).toContain('Hello Zoë &lt;b&gt;,');
    expect(page).toContain('NOCH 1 18 Tage Stunden');
    expect(page).toContain('Your 2120 points are worth double');
    expect(page).not.toContain('SILVER');
    expect(page).toContain('BF26-X');
    expect(page).toContain(
      'You looked at 2 things lately 1 Kettle &#34;Nordic&#34;, 1.7 l See the price 2 Fjäll',
    );
    expect(page).toContain('How is the Beeswax candles &amp; snuffer doing?');
    expect(page).toContain('signed up on 1 March 2019');
  });

  test('speaks to somebody nobody knows', () => {
    const page = textOf(render(html, {}, '2026-11-28T10:00:00.000Z'));
    expect(page).toContain('Hello there,');
    expect(page).toContain('the last minutes');
    expect(page).toContain('Not a member yet?');
    expect(page).toContain('BLACK26');
    expect(page).not.toContain('You looked at');
    expect(render(source.subject, {})).toBe('Your Black Friday starts now');
    expect(render(source.subject, { first_name: 'José', loyalty_tier: 'gold' })).toBe(
      'José, your Black Friday starts now: gold members go first',
    );
  });

  test('offers what it must', () => {
    const page = render(html, { email: 'fake@gmail.com' });
    expect(page).toContain('href="https://u.example.com/t?a=1&amp;b=2"');
    expect(textOf(page)).toContain('12 Harbor Street, Portland, ME 04101');
    expect(page.match(/\$\d+\.\d\d<\/strong>/g)!.length).toBeGreaterThanOrEqual(8);
    const hosts = [...page.matchAll(/(?:src|href|url)[=(]"?https?:\/\/([^/"?)]+)/g)].map(([, host]) => host);
    expect(new Set(hosts.map((host) => host!.split('.').slice(-2).join('.')))).toEqual(
      new Set(['example.com']),
    );
  });
});
