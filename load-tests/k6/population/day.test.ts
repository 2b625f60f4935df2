import { expect, test } from 'vitest';
import { planDay, readerStages } from './day.ts';

const plan = planDay({ tenants: 60, messages: 60_000, minutes: 5 });
const messagesOf = (tenant: number) => plan.listSizes[tenant] as number;

test('every tenant has its day, within the minutes that there are', () => {
  expect(new Set(plan.campaigns.map(({ tenant }) => tenant)).size).toBe(60);
  for (const { dueMs } of plan.campaigns) {
    expect(dueMs).toBeGreaterThanOrEqual(0);
    expect(dueMs).toBeLessThan(300_000);
  }
  const sum = plan.campaigns.reduce((total, { tenant }) => total + messagesOf(tenant), 0);
  expect(Math.abs(sum - 60_000)).toBeLessThan(100);
});

test('the largest has a third of it, and begins the peak hour', () => {
  expect(messagesOf(0) * 2).toBeGreaterThan(18_000);
  const largest = plan.campaigns.filter(({ tenant }) => tenant === 0);
  expect(largest.map(({ dueMs }) => dueMs)).toContain((9 / 24) * 300_000);
  expect(largest.map(({ phase }) => phase)).toContain('peak');
});

test('most campaigns are due at :00 or :30', () => {
  const clustered = plan.campaigns.filter(({ dueMs }) => dueMs % (300_000 / 48) < 1);
  expect(clustered.length / plan.campaigns.length).toBeGreaterThan(0.5);
});

test('readers follow the hours', () => {
  const stages = readerStages(24, 100);
  expect(stages).toHaveLength(24);
  expect(stages[9]).toEqual({ duration: '60000ms', target: 185 });
});
