/** `/v1/platform/transports`: transports that belong to the installation and may be used by every tenant. For its admin. */
import { z } from 'zod';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { pageOf, pageQuery } from '../http/schemas.ts';
import type { TransportId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import {
  changeTransport,
  createTransport,
  getOwnTransport,
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
import { listPlatformTransports, type StoredTransport } from './transport-store.ts';
import { verificationOut, verifyTransport } from './verification.ts';

export function platformTransportRoutes(options: TransportRoutesOptions): Route[] {
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

const tag = 'Platform transports';
const etagHeader = { ETag: 'For If-Match' };
const collection = '/v1/platform/transports';
const item = '/v1/platform/transports/{transport_id}';

function createRoute(parts: TransportParts): Route {
  return defineRoute({
    ...{ method: 'post', path: collection, operationId: 'createPlatformTransport', tag },
    summary: 'Create a transport that all tenants may use',
    access: 'admin',
    idempotent: true,
    body: newTransport,
    responses: {
      201: {
        description: 'The new transport',
        schema: transportOut,
        headers: { ...etagHeader, Location: 'It' },
      },
    },
    async handle({ body }) {
      const transport = await createTransport(parts, null, body);
      const shown = show(transport);
      return json(201, shown, { Location: `${collection}/${shown.id}`, ...etagOf(transport) });
    },
  });
}

function listRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: collection, operationId: 'listPlatformTransports', tag },
    summary: "List the platform's transports, oldest first",
    access: 'admin',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(transportOut) } },
    async handle({ query: { cursor, page_size: size } }) {
      const [afterId] = decodeCursor(cursor, z.int()) ?? [0];
      const rows = await listPlatformTransports(db, { afterId, limit: size + 1 });
      return json(200, toPage(rows, size, { item: show, position: (row) => [row.id] }));
    },
  });
}

function getRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: item, operationId: 'getPlatformTransport', tag },
    summary: 'Get a transport of the platform, with its settings',
    access: 'admin',
    params: transportParams,
    responses: { 200: { description: 'The transport', schema: transportOut, headers: etagHeader } },
    async handle({ params }) {
      const transport = await getOwnTransport(db, platforms(params.transport_id));
      return json(200, show(transport), etagOf(transport));
    },
  });
}

function changeRoute(parts: TransportParts): Route {
  return defineRoute({
    ...{ method: 'patch', path: item, operationId: 'updatePlatformTransport', tag },
    summary: 'Change a transport of the platform',
    description: 'For the running campaigns of all tenants, within two seconds.',
    access: 'admin',
    ifMatch: true,
    params: transportParams,
    body: transportPatch,
    responses: { 200: { description: 'The changed transport', schema: transportOut, headers: etagHeader } },
    async handle({ params, body, headers }) {
      const transport = await changeTransport(parts, platforms(params.transport_id), { body, headers });
      return json(200, show(transport), etagOf(transport));
    },
  });
}

function deleteRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'delete', path: item, operationId: 'deletePlatformTransport', tag },
    summary: 'Delete a transport of the platform',
    description: 'Refused with 409 while a scheduled or running campaign of any tenant uses it.',
    access: 'admin',
    params: transportParams,
    responses: { 204: { description: 'Deleted' } },
    async handle({ params }) {
      await removeTransport(db, platforms(params.transport_id));
      return json(204);
    },
  });
}

function verifyRoute(parts: TransportParts): Route {
  return defineRoute({
    ...{ method: 'post', path: `${item}/verify`, operationId: 'verifyPlatformTransport', tag },
    summary: 'Try a transport of the platform without sending',
    access: 'admin',
    params: transportParams,
    responses: { 200: { description: 'What worked and what did not', schema: verificationOut } },
    async handle({ params }) {
      return json(200, await verifyTransport(parts, platforms(params.transport_id)));
    },
  });
}

function platforms(id: TransportId): OwnTransport {
  return { owner: null, id };
}

function show(transport: StoredTransport) {
  return showTransport(transport, { asOwner: true });
}
