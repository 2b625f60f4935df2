import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Scenario, startScenario } from './scenario.ts';
import { waitFor } from './wait-for.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario();
});
afterAll(() => scenario.end());

const providers = ['gmail.com', 'yahoo.com', 'hotmail.com', 'a.example', 'b.example', 'c.example'];
const addresses = (count: number) =>
  Array.from({ length: count }, (_, no) => `user-${no}@${providers[no % providers.length]}`);

test('a day’s quota holds over all destinations, and across a stop; raised, the rest goes', async () => {
  const perDay = 250;
  const { db, sink } = scenario;
  const campaign = await scenario.campaign(addresses(600), {
    destinationMode: 'provider',
    limits: { perDay },
  });
  await sink.waitForAccepted(80, { timeoutMs: 15_000 });
  await scenario.stopPipeline();
  await scenario.startPipeline();
  await sink.waitForAccepted(perDay, { timeoutMs: 20_000 });
  await scenario.waitForQuiet(campaign);
  const attempts = async () => {
    const row = await db.first<{ n: number }>(
      'SELECT SUM(attempts) AS n FROM destination_days n JOIN destinations d ON d.id = n.destination_id WHERE d.transport_id = ?',
      [campaign.transportId],
    );
    return Number(row?.n);
  };
  await waitFor('the count', async () => (await attempts()) === perDay, 5_000);
  const limits = JSON.stringify({ perDay: 600 });
  expect(sink.accepted().log).toHaveLength(perDay);
  await db.write('UPDATE transports SET limits = ?, version = version + 1 WHERE id = ?', [
    limits,
    campaign.transportId,
  ]);
  await scenario.waitForState(campaign, 'sent');
  expect(await attempts()).toBe(600);
  await scenario.check();
}, 90_000);
