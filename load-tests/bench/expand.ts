/**
 * What expansion costs: pages of an audience become chunks and deliveries. Run after `npm run build`:
 *
 *   DATABASE_URL=... node dist/load-tests/bench/expand.js [--quick]
 */
import { randomBytes } from 'node:crypto';
import { deriveKeys } from '../../src/keys.ts';
import { expandPage } from '../../src/schedule/expand-page.ts';
import { createTestCampaign } from '../../src/testing/test-campaign.ts';
import { createTestDatabase } from '../../src/testing/test-database.ts';
import { formatCost, isQuick } from './stopwatch.ts';

const destinations = {
  nameOf: (domain: string) => domain,
  idOf: async (name: string) => Number(/\d+/.exec(name)?.[0]) + 1,
};
const recipients = isQuick ? 20_000 : 200_000;
const { db, drop } = await createTestDatabase();
try {
  for (const providers of [1, 8]) process.stdout.write(await expandAll(providers));
} finally {
  await drop();
}
process.exit(0);

async function expandAll(providers: number): Promise<string> {
  const emails = Array.from({ length: recipients }, (_, n) => `p${n}@provider${n % providers}.example`);
  const keys = deriveKeys(randomBytes(32));
  const { tenantId, campaignId, listId } = await createTestCampaign({ db, keys, emails, smtpPort: 1 });
  await db.write("UPDATE campaigns SET state = 'expanding', started_at = NOW(3) WHERE id = ?", [campaignId]);
  const startedAt = performance.now();
  const cpuAtStart = process.cpuUsage();
  let expanded = 0;
  for (let isLast = false; !isLast; ) {
    const page = await expandPage(db, await readCampaign(), destinations);
    if (!page) throw new Error('somebody else expanded it');
    ({ isLast } = page);
    expanded += page.recipients;
  }
  if (expanded !== recipients) throw new Error(`expanded ${expanded} of ${recipients}`);
  const { user, system } = process.cpuUsage(cpuAtStart);
  const micros = ((performance.now() - startedAt) * 1000) / recipients;
  const name = `a recipient, ${providers} destinations (${Math.round(1e6 / micros)}/s)`;
  return formatCost(name, micros, (user + system) / recipients);

  async function readCampaign() {
    const row = await db.first<{ part: number; cursor: number; nextChunkNo: number }>(
      'SELECT part, expansion_cursor AS `cursor`, next_chunk_no AS nextChunkNo FROM campaigns WHERE id = ?',
      [campaignId],
    );
    if (!row) throw new Error('no such campaign');
    const audience = { includedLists: [listId], excludedLists: [] };
    return { ...row, tenantId, id: campaignId, class: 2, audience, perMinute: null };
  }
}
