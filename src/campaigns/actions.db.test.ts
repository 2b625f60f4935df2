import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { partOf } from '../ledger/partitions.ts';
import type { TestApi } from '../testing/test-api.ts';
import { createShop, html, rowIdOf, type Shop, setState, startCampaignApi } from './campaign-fixture.ts';
import { campaignActions, campaignStates } from './campaign-state.ts';

let api: TestApi;
let shop: Shop;
const now = { send_at: 'now' };
const later = () => ({ send_at: new Date(Date.now() + 3_600_000).toISOString() });
const saysBytes = expect.stringMatching(/11\d{5} bytes as sent/);
const pointersOf = (body: { errors: readonly { pointer: string }[] }) =>
  body.errors.map((error) => error.pointer);

beforeAll(async () => {
  api = await startCampaignApi();
  shop = await createShop(api);
});
afterAll(() => api.stop());

describe('scheduling', () => {
  test('now is now by the database’s clock, and the deadline is counted from it', async () => {
    const id = await shop.createDraft({ deliver_within_seconds: 600 });
    const { status, body, headers } = await shop.act(id, 'schedule', now);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { state: 'scheduled', version: 2, estimated_recipients: 1 },
    });
    expect(headers.get('etag')).toBe('"v2"');
    expect(Date.parse(body.deadline_at) - Date.parse(body.send_at)).toBe(600_000);
    const due = await api.db.first('SELECT 1 FROM campaigns WHERE id = ? AND send_at <= NOW(3)', [
      await rowIdOf(api, id),
    ]);
    expect(due).toBeDefined();
  });

  test('a draft of long ago has its deliveries in the present week', async () => {
    const id = await shop.createDraft();
    const rowId = await rowIdOf(api, id);
    await api.db.write('UPDATE campaigns SET part = 202001 WHERE id = ?', [rowId]);
    await shop.act(id, 'schedule', later());
    const row = await api.db.first('SELECT part FROM campaigns WHERE id = ?', [rowId]);
    expect(row).toEqual({ part: partOf(Date.now()) });
  });

  test('a time is kept, whatever offset it came in', async () => {
    const id = await shop.createDraft();
    const at = new Date(Math.floor(Date.now() / 1000) * 1000 + 7_200_000);
    const text = new Date(at.getTime() + 3_600_000).toISOString().replace('Z', '+01:00');
    expect((await shop.act(id, 'schedule', { send_at: text })).body.send_at).toBe(at.toISOString());
  });

  test('a minute’s lateness is now; more is the past, and more than a year is too far ahead', async () => {
    const at = (ms: number) => ({ send_at: new Date(Date.now() + ms).toISOString() });
    expect((await shop.act(await shop.createDraft(), 'schedule', at(-30_000))).status).toBe(200);
    const id = await shop.createDraft();
    for (const ms of [-90_000, 400 * 86_400_000]) {
      const reply = await shop.act(id, 'schedule', at(ms));
      expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/send_at' }] } });
    }
    for (const send_at of ['tomorrow', '2026-11-27T09:00:00', '', null, 5]) {
      const reply = await shop.act(id, 'schedule', { send_at });
      expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/send_at' }] } });
      expect(reply.body.errors[0].detail).toMatch(/ISO 8601|expected string|required/);
    }
    expect((await shop.act(id, 'schedule', {})).status).toBe(422);
  });

  test('everything that is missing is said at once, with the wrong time', async () => {
    const { body } = await shop.post('/v1/campaigns', { name: 'Empty' });
    const reply = await shop.act(body.id, 'schedule', { send_at: '2020-01-01T00:00:00Z' });
    expect(reply.status).toBe(422);
    expect(pointersOf(reply.body)).toEqual([
      '/send_at',
      '/audience/included_lists',
      '/template_id',
      '/transport_id',
      '/message/from_email',
    ]);
  });

  test('what is gone since the draft was written is told by its field', async () => {
    const own = await createShop(api);
    const id = await own.createDraft();
    await own.delete(`/v1/transports/${own.transportId}`);
    await api.db.write('DELETE FROM lists WHERE tenant_id = ?', [own.tenantId]);
    await api.db.write('DELETE FROM template_versions WHERE tenant_id = ?', [own.tenantId]);
    const reply = await own.act(id, 'schedule', now);
    expect(pointersOf(reply.body)).toEqual(['/audience/included_lists/0', '/template_id', '/transport_id']);
  });

  test('a template that no longer compiles is caught before anybody is sent anything', async () => {
    const own = await createShop(api);
    const id = await own.createDraft();
    await api.db.write("UPDATE template_versions SET html = '{% if %}' WHERE tenant_id = ?", [own.tenantId]);
    const reply = await own.act(id, 'schedule', now);
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/template_id' }] } });
    expect((await own.get(`/v1/campaigns/${id}`)).body.state).toBe('draft');
  });

  test('a template whose messages are too large for everybody is told, with the figure', async () => {
    const own = await createShop(api);
    const id = await own.createDraft();
    const large = `<p>${'я'.repeat(90_000)}</p>`;
    expect(await own.post('/v1/templates', { name: 'Large', subject: 'x', html: large })).toMatchObject({
      status: 422,
      body: { code: 'invalid_template', errors: [{ pointer: '/html', detail: saysBytes }] },
    });
    // Written by a release that did not look.
    await api.db.write('UPDATE template_versions SET html = ? WHERE tenant_id = ?', [large, own.tenantId]);
    expect(await own.act(id, 'schedule', now)).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/template_id', detail: saysBytes }] },
    });
    expect((await own.get(`/v1/campaigns/${id}`)).body.state).toBe('draft');
  });

  test('the latest version of the template is pinned', async () => {
    const id = await shop.createDraft();
    const { body } = await shop.post(`/v1/templates/${shop.templateId}/versions`, { subject: 'x', html });
    expect((await shop.act(id, 'schedule', later())).body.template_version).toBe(body.version);
    await shop.post(`/v1/templates/${shop.templateId}/versions`, { subject: 'y', html });
    expect((await shop.get(`/v1/campaigns/${id}`)).body.template_version).toBe(body.version);
    const chosen = await shop.createDraft({ template_version: 1 });
    expect((await shop.act(chosen, 'schedule', later())).body.template_version).toBe(1);
  });

  test('nobody to send to is refused now and allowed later', async () => {
    const own = await createShop(api);
    await own.suppress('ada@example.org');
    const [id, emptyList] = [await own.createDraft(), await own.createList([])];
    const empty = await own.createDraft({ audience: { included_lists: [emptyList] } });
    for (const one of [id, empty]) {
      const reply = await own.act(one, 'schedule', now);
      expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer: '/audience' }] } });
    }
    expect((await own.act(id, 'schedule', later())).body).toMatchObject({
      state: 'scheduled',
      estimated_recipients: 0,
    });
  });
});

describe('at the same moment', () => {
  test('of many schedules one wins', async () => {
    const id = await shop.createDraft();
    const replies = await Promise.all(Array.from({ length: 6 }, () => shop.act(id, 'schedule', now)));
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    expect((await shop.get(`/v1/campaigns/${id}`)).body.version).toBe(2);
  });

  test('an edit and a schedule: what is scheduled is what was checked', async () => {
    for (let i = 0; i < 10; i++) {
      const id = await shop.createDraft();
      const path = `/v1/campaigns/${id}`;
      const [scheduled, edited] = await Promise.all([
        shop.act(id, 'schedule', later()),
        shop.patch(path, { transport_id: null }, { headers: { 'If-Match': '"v1"' } }),
      ]);
      const { body } = await shop.get(path);
      if (scheduled.status === 200) expect(body.transport_id).not.toBeNull();
      else expect(body).toMatchObject({ state: 'draft', transport_id: null });
      expect([scheduled.status, edited.status].filter((status) => status === 200)).toHaveLength(1);
    }
  });

  test('a schedule and the deletion of its transport: never both', async () => {
    for (let i = 0; i < 10; i++) {
      const own = await createShop(api);
      const id = await own.createDraft();
      const [scheduled, deleted] = await Promise.all([
        own.act(id, 'schedule', later()),
        own.delete(`/v1/transports/${own.transportId}`),
      ]);
      expect([`${scheduled.status} ${deleted.status}`]).toEqual([
        expect.stringMatching(/^(200 409|422 204)$/),
      ]);
    }
  });

  test('an unschedule and the scheduler’s start: one of them', async () => {
    const id = await shop.createDraft();
    await shop.act(id, 'schedule', now);
    const start = api.db.write(
      "UPDATE campaigns SET state = 'expanding' WHERE id = ? AND state = 'scheduled'",
      [await rowIdOf(api, id)],
    );
    const [{ status }, { affectedRows }] = await Promise.all([shop.act(id, 'unschedule'), start]);
    expect([status, affectedRows]).toEqual(status === 200 ? [200, 0] : [409, 1]);
  });

  test('a pause and a cancellation end cancelled', async () => {
    const id = await shop.createIn('sending');
    await Promise.all([shop.act(id, 'pause'), shop.act(id, 'cancel'), shop.act(id, 'resume')]);
    expect((await shop.get(`/v1/campaigns/${id}`)).body).toMatchObject({
      state: 'cancelled',
      paused: false,
      settling: true,
    });
  });
});

describe('actions', () => {
  test('unscheduling makes a draft again, with its version pinned', async () => {
    const id = await shop.createDraft();
    await shop.act(id, 'schedule', later());
    expect((await shop.act(id, 'unschedule')).body).toMatchObject({
      state: 'draft',
      send_at: null,
      deadline_at: null,
      estimated_recipients: null,
      template_version: expect.any(Number),
    });
    expect((await shop.act(id, 'schedule', now)).status).toBe(200);
  });

  test('pausing and resuming can be repeated and change nothing then', async () => {
    const id = await shop.createIn('sending');
    const paused = await shop.act(id, 'pause');
    expect(paused.body).toMatchObject({ state: 'sending', paused: true, version: 2 });
    expect((await shop.act(id, 'pause')).body).toEqual(paused.body);
    const resumed = await shop.act(id, 'resume');
    expect(resumed.body).toMatchObject({ paused: false, paused_at: null, version: 3 });
    expect((await shop.act(id, 'resume')).body).toEqual(resumed.body);
  });

  test('cancelling ends a pause, settles what is left, and can be repeated', async () => {
    const id = await shop.createIn('expanding');
    await shop.act(id, 'pause');
    const cancelled = await shop.act(id, 'cancel');
    expect(cancelled.body).toMatchObject({ state: 'cancelled', paused: false, settling: true, version: 3 });
    expect((await shop.act(id, 'cancel')).body).toEqual(cancelled.body);
    await api.db.write('UPDATE campaigns SET settling = 0 WHERE id = ?', [await rowIdOf(api, id)]);
    expect((await shop.act(id, 'cancel')).body.settling).toBe(false);
  });

  test('everything that is not allowed is a 409 that names the state, and changes nothing', async () => {
    const anyVersion = { headers: { 'If-Match': '*' } };
    const calls = {
      edit: (id: string) => shop.patch(`/v1/campaigns/${id}`, { name: 'x' }, anyVersion),
      delete: (id: string) => shop.delete(`/v1/campaigns/${id}`),
      schedule: (id: string) => shop.act(id, 'schedule', now),
      unschedule: (id: string) => shop.act(id, 'unschedule'),
      pause: (id: string) => shop.act(id, 'pause'),
      resume: (id: string) => shop.act(id, 'resume'),
      cancel: (id: string) => shop.act(id, 'cancel'),
    };
    for (const state of campaignStates) {
      const id = await shop.createDraft();
      for (const action of Object.keys(calls) as (keyof typeof calls)[]) {
        if ((campaignActions[action] as readonly string[]).includes(state)) continue;
        await setState(api, id, state);
        const reply = await calls[action](id);
        expect([action, reply.status, reply.body?.code]).toEqual([action, 409, 'illegal_transition']);
        expect(reply.body.detail).toContain(state);
        expect((await shop.get(`/v1/campaigns/${id}`)).body).toMatchObject({ state, version: 1 });
      }
    }
  });

  test('a key without the scope may look and not touch', async () => {
    const reader = await api.createKey(shop.tenantId, ['campaigns:read']);
    const id = await shop.createDraft();
    expect((await reader.get(`/v1/campaigns/${id}`)).status).toBe(200);
    expect((await reader.post(`/v1/campaigns/${id}/schedule`, now)).status).toBe(403);
    expect((await reader.post(`/v1/campaigns/${id}/cancel`)).status).toBe(403);
  });
});
