import { beforeAll, describe, expect, test } from 'vitest';
import { cellPeakPerSecond, type DayResult, playDay, quickDay } from './play-day.ts';
import { providers } from './published-day.ts';
import { outage } from './trouble.ts';

let day: DayResult;
let quiet: DayResult;
const sampleAt = ({ sluice }: DayResult, atMs: number) =>
  sluice.samples.find((sample) => sample.atMs === atMs)!;
const placeOf = (name: string) => providers.findIndex((provider) => provider.name === name);
const naive = (title: string) => day.naive.find((design) => design.title === title)!;

beforeAll(() => {
  day = playDay(quickDay, 1);
  quiet = playDay(quickDay, 1, false);
}, 120_000);

describe('the peak of Black Friday', () => {
  test('small tenants begin at once and end soon, whatever whales send', () => {
    const { waits } = day.sluice;
    expect(waits.percentiles('smallest, others').p50).toBeLessThan(60);
    expect(waits.percentiles('smallest, others').p99).toBeLessThan(240);
    expect(waits.percentiles('whales, others').p99).toBeGreaterThan(900);
  });

  test('one FIFO makes them wait for the whales', () => {
    const ours = day.sluice.waits.percentiles('smallest');
    const theirs = naive('one FIFO').waits.percentiles('smallest');
    expect(theirs.p50).toBeGreaterThan(5 * ours.p50);
    expect(naive('one FIFO').waits.percentiles('whales').p99).toBeLessThan(2 * theirs.p99);
  });

  test('an outage holds up its destination and no other', () => {
    const during = outage.fromMs + 600_000;
    const yahoo = placeOf(outage.provider);
    expect(sampleAt(day, during).sentByProvider[yahoo]).toBe(0);
    expect(sampleAt(day, during).backlogByProvider[yahoo]).toBeGreaterThan(100_000);
    const gmail = placeOf('gmail');
    const limit = providers[gmail]!.part * providers[gmail]!.takesOfPeak * cellPeakPerSecond;
    expect(sampleAt(day, during).sentByProvider[gmail]).toBeGreaterThan(0.9 * limit);
    const [withOutage, without] = [day, quiet].map(({ sluice }) =>
      sluice.waits.percentiles('smallest, others'),
    );
    expect(withOutage!.p99).toBeLessThan(1.2 * without!.p99);
  });

  test('the same outage takes the connections of everything in a FIFO', () => {
    const { samples } = naive('one FIFO');
    const during = samples.find(({ atMs }) => atMs === outage.fromMs + 600_000)!;
    expect(during.sentPerSecond).toBeLessThan(0.1 * cellPeakPerSecond);
  });

  test('what waits drains, with few workers, and few refusals', () => {
    expect(day.sluice.samples.at(-1)!.backlog).toBeLessThan(1_000);
    expect(day.sluice.refusedPart).toBeLessThan(0.01);
    expect(Math.max(...day.sluice.samples.map(({ sendWorkers }) => sendWorkers))).toBeLessThan(27);
  });

  test('Redis holds the seconds under way; of a job per recipient, everything', () => {
    const most = (samples: readonly { readonly redisBytes: number }[]) =>
      Math.max(...samples.map(({ redisBytes }) => redisBytes));
    expect(most(day.sluice.samples)).toBeLessThan(256e6);
    expect(most(naive('a queue per tenant').samples)).toBeGreaterThan(20 * most(day.sluice.samples));
  });

  test('is the same for the same seed, and another for another', () => {
    const minutes = { ...quickDay, untilMs: quickDay.fromMs + 300_000 };
    const again = playDay(minutes, 1).sluice.samples;
    expect(again).toEqual(day.sluice.samples.slice(0, again.length));
    expect(playDay(minutes, 2).sluice.samples).not.toEqual(again);
  }, 60_000);
});
