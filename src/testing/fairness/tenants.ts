/** Tenants, transports and people straight in the tables: what an experiment's load belongs to. */
import { addressHash } from '../../audience/address.ts';
import { newId, type TenantId, type TransportId } from '../../ids.ts';
import type { Keys } from '../../keys.ts';
import { partOf } from '../../ledger/partitions.ts';
import type { Database } from '../../platform/mysql.ts';
import { transportLimits } from '../../transports/smtp-settings.ts';

export interface Tables {
  readonly db: Database;
  readonly keys: Keys;
}

export interface TransportWish {
  readonly port: number;
  readonly destinationMode?: 'transport' | 'provider';
  readonly limits?: Readonly<Record<string, unknown>>;
}

export interface Destination {
  readonly id: number;
  readonly transportId: TransportId;
  /** Whose addresses go there. */
  readonly domain: string;
}

export interface TenantWish {
  /** Default 100. */
  readonly weight?: number;
}

const rowsPerInsert = 1_000;
const html =
  '<html><body><p>Hello {{ profile.first_name }}</p><a href="{{ unsubscribe_url }}">stop</a></body></html>';

/** Of the platform: shared by all tenants, so that its destinations are contended for. */
export async function createPlatformTransport(
  { db }: Tables,
  { port, destinationMode = 'transport', limits = {} }: TransportWish,
): Promise<TransportId> {
  const id = newId('transport');
  await db.write(
    `INSERT INTO transports (id, tenant_id, name, kind, settings, limits, destination_mode, created_at, updated_at)
     VALUES (?, NULL, 'sink', 'smtp', ?, ?, ?, NOW(3), NOW(3))`,
    [
      id,
      JSON.stringify({ host: '127.0.0.1', port, tls: 'none' }),
      JSON.stringify(transportLimits.parse(limits)),
      destinationMode,
    ],
  );
  return id;
}

/** `name` as `destinationOf` makes it: `all`, `gmail`, ... */
export async function createDestination(
  { db }: Tables,
  transportId: TransportId,
  { name, domain }: { name: string; domain: string },
): Promise<Destination> {
  const { insertId } = await db.write('INSERT INTO destinations (transport_id, name) VALUES (?, ?)', [
    transportId,
    name,
  ]);
  return { id: insertId, transportId, domain };
}

/** In the order of the wishes. Ids are consecutive: a thousand by chance within a second would collide. */
export async function createTenants(
  { db }: Tables,
  wishes: readonly TenantWish[],
): Promise<readonly TenantId[]> {
  const first = newId('tenant');
  const ids = wishes.map((_, i) => (first + i) as TenantId);
  const now = new Date();
  await db.write('INSERT INTO tenants (id, name, weight, created_at) VALUES ?', [
    ids.map((id, i) => [id, `Tenant ${i}`, wishes[i]?.weight ?? 100, now]),
  ]);
  await db.write(
    'INSERT INTO template_versions (tenant_id, template_id, version, subject, html, created_at) VALUES ?',
    [ids.map((id) => [id, 1, 1, 'Hello {{ profile.first_name }}', html, now])],
  );
  return ids;
}

/** So many people of each tenant at each destination, for `bulk-ledger.ts`: a larger campaign names them again and again. */
export async function createPeople(
  { db, keys }: Tables,
  tenantIds: readonly TenantId[],
  destinations: readonly Destination[],
  each: number,
): Promise<void> {
  const now = new Date();
  const wanted = tenantIds.flatMap((tenantId) =>
    destinations.flatMap(({ id, domain }) =>
      Array.from({ length: each }, (_, slot) => ({ tenantId, destinationId: id, slot, domain })),
    ),
  );
  for (let at = 0; at < wanted.length; at += rowsPerInsert) {
    const rows = wanted.slice(at, at + rowsPerInsert).map(({ tenantId, destinationId, slot, domain }) => {
      const email = `p${slot}.d${destinationId}@${domain}`;
      const hash = addressHash(keys.address, tenantId, email);
      const phone = `${destinationId}/${slot}`;
      return [tenantId, email, hash, JSON.stringify({ first_name: `Name${slot}` }), phone, now, now];
    });
    await db.write(
      'INSERT INTO profiles (tenant_id, email, email_hash, attributes, phone, created_at, updated_at) VALUES ?',
      [rows],
    );
  }
  await db.write(
    `INSERT INTO fairness_people (tenant_id, destination_id, slot, profile_id, address_hash)
     SELECT tenant_id, SUBSTRING_INDEX(phone, '/', 1), SUBSTRING_INDEX(phone, '/', -1), id, email_hash FROM profiles
     WHERE tenant_id IN (?) AND SUBSTRING_INDEX(phone, '/', 1) IN (?)`,
    [tenantIds, destinations.map(({ id }) => id)],
  );
}

export const thisPart = (): number => partOf(Date.now());
