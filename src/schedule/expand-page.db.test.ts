import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CampaignId, newId, type TenantId } from '../ids.ts';
import { chunkStates } from '../ledger/states.ts';
import type { Sql } from '../platform/mysql.ts';
import { assertCounts } from '../testing/assert-ledger.ts';
import { startDnsServer } from '../testing/dns-server.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { createTestLedger, leaseChunk } from '../testing/test-ledger.ts';
import { createMxRollup, resolverOf } from '../transports/mx-rollup.ts';
import { readAudiencePage } from './audience-page.ts';
import { createDestinationIds } from './destination-ids.ts';
import { type ExpandingCampaign, expandPage, firstPageSize, pageSize } from './expand-page.ts';
import { startDueCampaigns } from './start-due.ts';

let database: TestDatabase;
let tenantId: TenantId;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => {
  tenantId = newId('tenant');
});
afterAll(() => database.drop());

let made = 0;

/** Profiles with addresses at `domain`, made members of the lists; answers their ids. */
async function addProfiles(
  n: number,
  lists: readonly number[],
  domain = 'example.com',
): Promise<readonly number[]> {
  const { db } = database;
  const rows = Array.from({ length: n }, () => {
    const hash = Buffer.alloc(16);
    hash.writeUInt32BE(++made);
    return [tenantId, `p${made}@${domain}`, hash, new Date(), new Date()];
  });
  const { insertId } = await db.write(
    'INSERT INTO profiles (tenant_id, email, email_hash, created_at, updated_at) VALUES ?',
    [rows],
  );
  const ids = Array.from({ length: n }, (_, i) => insertId + i);
  for (const list of lists) await addMembers(list, ids);
  return ids;
}

const addMembers = (list: number, ids: readonly number[]) =>
  database.db.write('INSERT INTO list_members (tenant_id, list_id, profile_id, added_at) VALUES ?', [
    ids.map((id) => [tenantId, list, id, new Date()]),
  ]);

async function addCampaign(
  includedLists: readonly number[],
  excludedLists: readonly number[] = [],
): Promise<CampaignId> {
  const id = newId('campaign');
  await database.db.write(
    `INSERT INTO campaigns (tenant_id, id, part, name, class, state, send_at, audience, message, in_doubt_policy, deliver_within_s, created_at, updated_at)
     VALUES (?, ?, 202601, 'Test', 2, 'scheduled', NOW(3) - INTERVAL 1 SECOND, ?, '{}', 'resend', 3600, NOW(3), NOW(3))`,
    [tenantId, id, JSON.stringify({ includedLists, excludedLists })],
  );
  await startDueCampaigns(database.db, 100);
  return id;
}

async function readCampaign(id: CampaignId): Promise<ExpandingCampaign> {
  const row = await database.db.first<{ expansion_cursor: number; next_chunk_no: number; audience: string }>(
    'SELECT expansion_cursor, next_chunk_no, audience FROM campaigns WHERE id = ?',
    [id],
  );
  if (!row) throw new Error('no such campaign');
  const audience = JSON.parse(row.audience);
  const position = { cursor: row.expansion_cursor, nextChunkNo: row.next_chunk_no };
  return { tenantId, id, part: 202601, class: 2, perMinute: null, audience, ...position };
}

const domainsApart = (sql: Sql) => {
  const ids = createDestinationIds(sql);
  return { nameOf: (domain: string) => domain, idOf: (name: string) => ids.idOf(1, name) };
};
const expand = (campaign: ExpandingCampaign) => expandPage(database.db, campaign, domainsApart(database.db));
const stateOf = async (id: CampaignId) =>
  (await database.db.first<{ state: string }>('SELECT state FROM campaigns WHERE id = ?', [id]))?.state;
const profilesOf = async (id: CampaignId) =>
  (
    await database.db.rows<{ profile_id: number }>(
      'SELECT profile_id FROM deliveries WHERE tenant_id = ? AND campaign_id = ? ORDER BY profile_id',
      [tenantId, id],
    )
  ).map((row) => row.profile_id);

describe('a page', () => {
  test('turns members into chunks by destination, lanes that are due, and counters', async () => {
    const { db } = database;
    const ids = [...(await addProfiles(501, [1], 'a.com')), ...(await addProfiles(3, [1], 'b.com'))];
    const id = await addCampaign([1]);
    expect(await expand(await readCampaign(id))).toEqual({ recipients: 504, isLast: true });
    expect(await profilesOf(id)).toEqual(ids);
    const chunks = await db.rows(
      'SELECT chunk_no, size, n_pending FROM chunks WHERE campaign_id = ? ORDER BY chunk_no',
      [id],
    );
    expect(chunks).toEqual([
      { chunk_no: 0, size: 500, n_pending: 500 },
      { chunk_no: 1, size: 1, n_pending: 1 },
      { chunk_no: 2, size: 3, n_pending: 3 },
    ]);
    expect(
      await db.rows('SELECT class FROM lanes WHERE tenant_id = ? AND next_due_at <= NOW(3)', [tenantId]),
    ).toHaveLength(2);
    expect(await stateOf(id)).toBe('sending');
    await assertCounts(db);
  });

  test('goes to those who take its members’ mail, where a resolver says who', async () => {
    const server = await startDnsServer({
      mx: { 'a.example': ['aspmx.l.google.com'], 'b.example': ['mx.b.example'] },
    });
    try {
      for (const domain of ['a.example', 'b.example', 'gmail.com']) await addProfiles(2, [1], domain);
      const id = await addCampaign([1]);
      const rollup = createMxRollup({ resolveMx: resolverOf(server.address, 500) });
      await expandPage(database.db, await readCampaign(id), {
        ...domainsApart(database.db),
        prepare: (domains) => rollup.prepare(domains),
        nameOf: (domain) => rollup.destinationOf('provider', domain),
      });
      const chunks = await database.db.rows<{ name: string; size: number }>(
        'SELECT d.name, c.size FROM chunks c JOIN destinations d ON d.id = c.destination_id WHERE campaign_id = ? ORDER BY size DESC',
        [id],
      );
      expect(chunks).toMatchObject([{ name: 'gmail', size: 4 }, { size: 2 }]);
      expect(server.asked.toSorted()).toEqual(['a.example', 'b.example']);
    } finally {
      await server.stop();
    }
  });

  test('takes a profile once that is in several lists', async () => {
    const ids = await addProfiles(5, [1, 2]);
    await addMembers(3, ids.slice(2));
    const id = await addCampaign([1, 2, 3]);
    expect(await expand(await readCampaign(id))).toMatchObject({ recipients: 5 });
    expect(await profilesOf(id)).toEqual(ids);
  });

  test('leaves out members of excluded lists, erased profiles, other lists and other tenants', async () => {
    const { db } = database;
    const ids = await addProfiles(6, [1]);
    await addMembers(9, [ids[0] as number]);
    await db.write('UPDATE profiles SET email = NULL, email_hash = NULL WHERE id = ?', [ids[1]]);
    await addProfiles(2, [2]);
    const mine = tenantId;
    tenantId = newId('tenant');
    await addProfiles(2, [1]);
    tenantId = mine;
    const id = await addCampaign([1], [9]);
    await expand(await readCampaign(id));
    expect(await profilesOf(id)).toEqual(ids.slice(2));
  });

  test('of nobody ends the expansion: no list, an empty list, or all of it excluded', async () => {
    const ids = await addProfiles(2, [5]);
    await addMembers(6, ids);
    for (const [included, excluded] of [
      [[], []],
      [[4], []],
      [[5], [6]],
    ] as const) {
      const id = await addCampaign(included, excluded);
      expect(await expand(await readCampaign(id))).toEqual({ recipients: 0, isLast: true });
      expect(await stateOf(id)).toBe('sending');
    }
  });
});

describe('the cursor', () => {
  test('goes on behind the last page; who joins behind it is left out, who joins before it is reached', async () => {
    const first = await addProfiles(firstPageSize, [1]);
    const id = await addCampaign([1]);
    expect(await expand(await readCampaign(id))).toEqual({ recipients: firstPageSize, isLast: false });
    expect(await stateOf(id)).toBe('expanding');
    await database.db.write('UPDATE profiles SET email = NULL WHERE id = ?', [first[0]]);
    const later = await addProfiles(3, [1]);
    expect(await expand(await readCampaign(id))).toEqual({ recipients: 3, isLast: true });
    expect(await profilesOf(id)).toEqual([...first, ...later]);
    await assertCounts(database.db);
  });

  test('is small at first, so that somebody gets a message soon, and large from then on', async () => {
    await addProfiles(firstPageSize + pageSize + 1, [1]);
    const id = await addCampaign([1]);
    const sizes: (number | undefined)[] = [];
    for (let page = 0; page < 3; page++) sizes.push((await expand(await readCampaign(id)))?.recipients);
    expect(sizes).toEqual([firstPageSize, pageSize, 1]);
  });

  test('is compared and set: of two schedulers on the same page one does it, and a stale one nothing', async () => {
    await addProfiles(700, [1]);
    const id = await addCampaign([1]);
    const campaign = await readCampaign(id);
    const both = await Promise.all([expand(campaign), expand(campaign)]);
    expect(both.filter((page) => page !== undefined)).toHaveLength(1);
    expect(await expand(campaign)).toBeUndefined();
    expect(await profilesOf(id)).toHaveLength(700);
    await assertCounts(database.db);
  });

  test('is compared also for a page without anybody in it', async () => {
    const ids = await addProfiles(firstPageSize, [1]);
    await addMembers(2, ids);
    const id = await addCampaign([1], [2]);
    const campaign = await readCampaign(id);
    const both = await Promise.all([expand(campaign), expand(campaign)]);
    expect(both.filter((page) => page !== undefined)).toEqual([{ recipients: 0, isLast: false }]);
  });

  test('does not move for a campaign that was cancelled meanwhile; the page is rolled back', async () => {
    await addProfiles(3, [1]);
    const id = await addCampaign([1]);
    const campaign = await readCampaign(id);
    await database.db.write("UPDATE campaigns SET state = 'cancelled' WHERE id = ?", [id]);
    expect(await expand(campaign)).toBeUndefined();
    expect(await profilesOf(id)).toEqual([]);
  });
});

test('pages are keyset reads: in order, without gap or repetition, at any size', async () => {
  const ids = await addProfiles(23, [1]);
  await addMembers(
    2,
    ids.filter((_, i) => i % 3 === 0),
  );
  const read: number[] = [];
  let cursor: number | undefined = 0;
  while (cursor !== undefined) {
    const page: Awaited<ReturnType<typeof readAudiencePage>> = await readAudiencePage(
      database.db,
      tenantId,
      { includedLists: [2, 1], excludedLists: [] },
      cursor,
      4,
    );
    read.push(...page.profiles.map((profile) => profile.id));
    cursor = page.nextCursor;
  }
  expect(read).toEqual(ids);
});

test('expansion adds to a lane while a grant of it ends, and neither loses the other', async () => {
  const { db } = database;
  await addProfiles(50, [1], 'a.com');
  const id = await addCampaign([1]);
  const destinationId = await domainsApart(db).idOf('a.com');
  const ledger = await createTestLedger(db, { tenantId, destinationId });
  await leaseChunk(db, ledger, 'me');
  await db.write('UPDATE lanes SET next_due_at = NULL WHERE tenant_id = ?', [tenantId]);
  await expand(await readCampaign(id));
  const [lane] = await db.rows('SELECT next_due_at <= NOW(3) AS is_due FROM lanes WHERE tenant_id = ?', [
    tenantId,
  ]);
  expect(lane).toEqual({ is_due: 1 });
  const pending = await db.rows(
    `SELECT 1 FROM chunks WHERE tenant_id = ? AND state = ${chunkStates.pending}`,
    [tenantId],
  );
  expect(pending).toHaveLength(1);
});

test('the chunks of a campaign with a rate are due as the rate reaches them, over its pages', async () => {
  await addProfiles(7_000, [7]);
  const id = await addCampaign([7]);
  for (let page = 0; page < 3; page++) await expand({ ...(await readCampaign(id)), perMinute: 1_000 });
  const rows = await database.db.rows<{ due_in: number }>(
    `SELECT TIMESTAMPDIFF(SECOND, m.started_at, c.due_at) AS due_in FROM chunks c JOIN campaigns m ON m.id = c.campaign_id
     WHERE c.campaign_id = ? ORDER BY c.chunk_no`,
    [id],
  );
  expect(rows.length).toBeGreaterThanOrEqual(14);
  expect(rows[0]?.due_in).toBeLessThan(5);
  const last = rows.at(-1)?.due_in as number;
  expect(last).toBeGreaterThan(380);
  expect(last).toBeLessThan(420);
});
