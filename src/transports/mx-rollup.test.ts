import { afterEach, describe, expect, it } from 'vitest';
import { type DnsAnswers, startDnsServer, type TestDnsServer } from '../testing/dns-server.ts';
import { destinationOf } from './destination-key.ts';
import { providerOfMxHost } from './mx-providers.ts';
import { createMxRollup, type MxRollupOptions, resolverOf, tablesOnly } from './mx-rollup.ts';

let server: TestDnsServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function rollup(answers: DnsAnswers, options: Partial<MxRollupOptions> = {}) {
  server = await startDnsServer(answers);
  return createMxRollup({ resolveMx: resolverOf(server.address, 500), ...options });
}

describe('the table', () => {
  it.each([
    ['aspmx.l.google.com', 'gmail'],
    ['ALT1.ASPMX.L.Google.com.', 'gmail'],
    ['acme-com.mail.protection.outlook.com', 'microsoft'],
    ['acme-com.o-v1.mx.microsoft', 'microsoft'],
    ['mta5.am0.yahoodns.net', 'yahoo'],
    ['mx01.mail.icloud.com', 'apple'],
    ['mxa-001.gslb.pphosted.com', 'proofpoint'],
    ['eu-smtp-inbound-1.mimecast.com', 'mimecast'],
    ['mx.example.com', undefined],
    ['google.com.evil.example', undefined],
    ['notgoogle.com', undefined],
    ['com', undefined],
    ['', undefined],
  ])('%s: %s', (host, provider) => expect(providerOfMxHost(host)).toBe(provider));
});

describe('a domain', () => {
  const mx = {
    'shop.example': ['aspmx.l.google.com', 'alt1.aspmx.l.google.com'],
    'firm.example': ['backup.firm.example', 'firm-example.mail.protection.outlook.com'],
    'self.example': ['mail.self.example'],
  };

  it('belongs to who takes its mail, else to the tail', async () => {
    const rolled = await rollup({ mx });
    await rolled.prepare(['Shop.example', 'firm.example', 'self.example', 'gone.example', 'gmail.com']);
    const of = (domain: string) => rolled.destinationOf('provider', domain);
    expect([of('shop.EXAMPLE'), of('firm.example'), of('gmail.com')]).toEqual([
      'gmail',
      'microsoft',
      'gmail',
    ]);
    for (const domain of ['self.example', 'gone.example', 'never-asked.example'])
      expect(of(domain)).toBe(destinationOf('provider', domain));
    expect(rolled.destinationOf('transport', 'shop.example')).toBe('all');
    expect(server?.asked).not.toContain('gmail.com');
  });

  it('is asked for once an hour, or after five minutes when nothing was found', async () => {
    let nowMs = 0;
    const rolled = await rollup({ mx }, { now: () => nowMs });
    const asked = async (atMs: number) => {
      nowMs = atMs;
      const before = server?.asked.length ?? 0;
      await rolled.prepare(['shop.example', 'gone.example']);
      return server?.asked.slice(before).sort();
    };
    expect(await asked(1)).toEqual(['gone.example', 'shop.example']);
    expect(await asked(299_000)).toEqual([]);
    expect(await asked(301_000)).toEqual(['gone.example']);
    expect(await asked(3_500_000)).toEqual(['gone.example']);
    expect(await asked(3_601_000)).toEqual(['shop.example']);
  });
});

describe('a page', () => {
  const domains = Array.from({ length: 300 }, (_, no) => `d${no}.example`);
  const mx = Object.fromEntries(domains.map((domain) => [domain, ['mx.google.com']]));

  it('asks for at most so many at once', async () => {
    const rolled = await rollup({ mx, delayMs: 5 }, { concurrency: 16 });
    await rolled.prepare(domains);
    expect(server?.mostAtOnce).toBeLessThanOrEqual(16);
    expect(new Set(domains.map((domain) => rolled.destinationOf('provider', domain)))).toEqual(
      new Set(['gmail']),
    );
  });

  it('goes on without the resolver when that is silent, after one round', async () => {
    const rolled = await rollup({ mx, silent: () => true }, { concurrency: 8, lookupMs: 50 });
    const started = performance.now();
    await rolled.prepare(domains);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(server?.asked.length).toBeLessThanOrEqual(24);
    expect(rolled.destinationOf('provider', 'd0.example')).toBe(destinationOf('provider', 'd0.example'));
  });

  it('is never held up beyond its time', async () => {
    const rolled = await rollup({ mx, delayMs: 40 }, { concurrency: 2, batchMs: 150 });
    const started = performance.now();
    await rolled.prepare(domains);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

it('without a resolver the tables decide', async () => {
  await tablesOnly.prepare(['shop.example']);
  expect(tablesOnly.destinationOf('provider', 'shop.example')).toBe(
    destinationOf('provider', 'shop.example'),
  );
});
