/** What the send stage reads of what tenants set up. */
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId, parseId, type TransportId } from '../ids.ts';
import { startTestApi, type TestApi, type TestTenant } from '../testing/test-api.ts';
import { hostPolicy } from '../transports/host-policy.ts';
import { transportRoutes } from './transport-routes.ts';
import { createTransportSource } from './transport-source.ts';
import { readTransport } from './transport-store.ts';

let api: TestApi;
let one: TestTenant;
let two: TestTenant;
const secretsKey = randomBytes(32);
const secret = { password: 'correct horse battery' };
const settings = { host: 'smtp.example.com', port: 587, tls: 'starttls', auth: { username: 'shop' } };

beforeAll(async () => {
  api = await startTestApi({
    routes: ({ db }) => transportRoutes({ db, secretsKey, hostPolicy: hostPolicy({ allowPrivate: true }) }),
  });
  [one, two] = [await api.createTenant(), await api.createTenant()];
});
afterAll(() => api.stop());

test('the send stage gets the transport with its secret opened, its version, and nothing of a deleted one', async () => {
  const lines: string[] = [];
  const log = pino(new Writable({ write: (line, _, done) => done(void lines.push(String(line))) }));
  const options = { db: api.db, log, hostPolicy: hostPolicy({ allowPrivate: true }) };
  const source = createTransportSource({ ...options, secretsKey });
  const body = { name: 'Relay', settings, secret, limits: { per_second: 7 } };
  const { body: created } = await one.post('/v1/transports', body);
  const id = parseId('transport', created.id) as TransportId;
  const { insertId } = await api.db.write(
    "INSERT INTO destinations (transport_id, name) VALUES (?, 'gmail')",
    [id],
  );
  const place = { transportId: id, destinationId: insertId };
  expect(await source.open(place)).toMatchObject({ version: 1, perSecond: 7, limits: { perSecond: 7 } });
  await one.patch(`/v1/transports/${created.id}`, { name: 'b' }, { headers: { 'If-Match': '"v1"' } });
  expect(await source.readVersions([id])).toEqual(new Map([[id, 2]]));
  const stranger = createTransportSource({ ...options, secretsKey: randomBytes(32) });
  await expect(stranger.open(place)).rejects.toThrow("can't be read");
  await one.delete(`/v1/transports/${created.id}`);
  expect(await source.open(place)).toBeUndefined();
  expect(await source.readVersions([id])).toEqual(new Map());
  expect(await source.readVersions([])).toEqual(new Map());
  expect(lines.join('')).not.toContain(secret.password);
});

test('a row of an older release gets the settings that came later by default', async () => {
  const id = newId('transport');
  await api.db.write(
    `INSERT INTO transports (id, tenant_id, name, kind, settings, limits, destination_mode, created_at, updated_at)
     VALUES (?, ?, 'old', 'smtp', '{"host":"a.example","port":25,"tls":"none"}', '{}', 'provider', NOW(3), NOW(3))`,
    [id, one.tenantId],
  );
  expect(await readTransport(api.db, one.tenantId, id)).toMatchObject({
    settings: { tlsVerify: true },
    limits: { maxConnections: 10 },
  });
  expect(await readTransport(api.db, two.tenantId, id)).toBeUndefined();
});
