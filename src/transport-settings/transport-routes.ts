/** `/v1/transports`: a tenant's own, and the platform's to use. The platform's admin has `platform-transport-routes.ts`. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { pageOf, pageQuery } from '../http/schemas.ts';
import type { TenantId, TransportId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import {
  changeTransport,
  createTransport,
  noSuchTransport,
  type OwnTransport,
  removeTransport,
  type TransportParts,
  type TransportRoutesOptions,
  toParts,
} from './transport-actions.ts';
import {
  etagOf,
  newTransport,
  showTransport,
  transportOut,
  transportParams,
  transportPatch,
} from './transport-schemas.ts';
import { listUsableTransports, readTransport, type StoredTransport } from './transport-store.ts';
import { verificationOut, verifyTransport } from './verification.ts';

export function transportRoutes(options: TransportRoutesOptions): Route[] {
  const parts = toParts(options);
  const { db } = parts;
  return [
    createRoute(parts),
    listRoute(db),
    getRoute(db),
    changeRoute(parts),
    deleteRoute(db),
    verifyRoute(parts),
  ];
}

const tag = 'Transports';
const etagHeader = { ETag: 'For If-Match' };

function createRoute(parts: TransportParts): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/transports', operationId: 'createTransport', tag },
    summary: 'Create a transport',
    description: 'It is not tried: `verify` does that.',
    access: 'transports:write',
    idempotent: true,
    body: newTransport,
    responses: {
      201: {
        description: 'The new transport',
        schema: transportOut,
        headers: { ...etagHeader, Location: 'It' },
      },
    },
    async handle({ tenantId, body }) {
      const transport = await createTransport(parts, tenantId, body);
      const shown = show(transport);
      return json(201, shown, { Location: `/v1/transports/${shown.id}`, ...etagOf(transport) });
    },
  });
}

function listRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/transports', operationId: 'listTransports', tag },
    summary: 'List the transports that may be used, oldest first',
    access: 'transports:read',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(transportOut) } },
    async handle({ tenantId, query: { cursor, page_size: size } }) {
      const [afterId] = decodeCursor(cursor, z.int()) ?? [0];
      const rows = await listUsableTransports(db, tenantId, { afterId, limit: size + 1 });
      return json(200, toPage(rows, size, { item: show, position: (row) => [row.id] }));
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/transports/{transport_id}', operationId: 'getTransport', tag },
    summary: 'Get a transport',
    access: 'transports:read',
    params: transportParams,
    responses: { 200: { description: 'The transport', schema: transportOut, headers: etagHeader } },
    async handle({ tenantId, params }) {
      const transport = await getUsable(db, tenantId, params.transport_id);
      return json(200, show(transport), etagOf(transport));
    },
  });
}

function changeRoute(parts: TransportParts): Route {
  return defineRoute({
    ...{ method: 'patch', path: '/v1/transports/{transport_id}', operationId: 'updateTransport', tag },
    summary: 'Change a transport',
    description:
      'Running campaigns use the new settings, limits and secret within two seconds. ' +
      'A stored secret has to be given again when the server it goes to changes.',
    access: 'transports:write',
    ifMatch: true,
    params: transportParams,
    body: transportPatch,
    responses: { 200: { description: 'The changed transport', schema: transportOut, headers: etagHeader } },
    async handle({ tenantId, params, body, headers }) {
      const own = await assertOwn(parts.db, tenantId, params.transport_id);
      const transport = await changeTransport(parts, own, { body, headers });
      return json(200, show(transport), etagOf(transport));
    },
  });
}

function deleteRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'delete', path: '/v1/transports/{transport_id}', operationId: 'deleteTransport', tag },
    summary: 'Delete a transport',
    description: 'Refused with 409 while a scheduled or running campaign uses it. Its secret is erased.',
    access: 'transports:write',
    params: transportParams,
    responses: { 204: { description: 'Deleted' } },
    async handle({ tenantId, params }) {
      await removeTransport(db, await assertOwn(db, tenantId, params.transport_id));
      return json(204);
    },
  });
}

function verifyRoute(parts: TransportParts): Route {
  return defineRoute({
    ...{ method: 'post', path: '/v1/transports/{transport_id}/verify', operationId: 'verifyTransport', tag },
    summary: 'Try a transport without sending',
    description: 'Connects, greets, secures, logs in and leaves, within about ten seconds.',
    access: 'transports:write',
    params: transportParams,
    responses: { 200: { description: 'What worked and what did not', schema: verificationOut } },
    async handle({ tenantId, params }) {
      const own = await assertOwn(parts.db, tenantId, params.transport_id);
      return json(200, await verifyTransport(parts, own));
    },
  });
}

function show(transport: StoredTransport) {
  return showTransport(transport, { asOwner: transport.tenantId !== null });
}

async function getUsable(db: Database, tenantId: TenantId, id: TransportId): Promise<StoredTransport> {
  const transport = await readTransport(db, tenantId, id);
  if (!transport) throw noSuchTransport();
  return transport;
}

/** A tenant sees the platform's transports, so that trying to change one is a 403, not a 404. */
async function assertOwn(db: Database, tenantId: TenantId, id: TransportId): Promise<OwnTransport> {
  const transport = await getUsable(db, tenantId, id);
  if (transport.tenantId !== null) return { owner: tenantId, id };
  throw new AppError('forbidden', { detail: 'This transport is the platform’s: only its admin changes it' });
}
