/** `/v1/sending-domains`: the keys that sign what a tenant sends from its domains. One entry is one key of one domain. */
import { z } from 'zod';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { pageOf } from '../http/schemas.ts';
import type { Database } from '../platform/mysql.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { checkRecord, type ResolveTxt } from './record-check.ts';
import {
  createSendingDomain,
  getSendingDomain,
  removeSendingDomain,
  rotateSendingDomain,
  type SendingDomainParts,
} from './sending-domain-actions.ts';
import {
  newSendingDomain,
  recordCheckOut,
  rotation,
  sendingDomainOut,
  sendingDomainParams,
  sendingDomainQuery,
  showSendingDomain,
} from './sending-domain-schemas.ts';
import {
  activateSendingDomain,
  deactivateSendingDomain,
  listSendingDomains,
  mostKeys,
  type SendingDomain,
} from './sending-domain-store.ts';

export interface SendingDomainRoutesOptions {
  readonly db: Database;
  /** `deriveKeys(...).secrets`: encrypts private keys. */
  readonly secretsKey: Buffer;
  readonly resolveTxt: ResolveTxt;
}

export function sendingDomainRoutes({ db, secretsKey, resolveTxt }: SendingDomainRoutesOptions): Route[] {
  const parts: SendingDomainParts = { db, secretBox: createSecretBox(secretsKey), resolveTxt };
  return [
    createRoute(parts),
    listRoute(parts),
    getRoute(parts),
    activateRoute(parts),
    deactivateRoute(parts),
    rotateRoute(parts),
    verifyRoute(parts),
    deleteRoute(parts),
  ];
}

const tag = 'Sending domains';
const collection = '/v1/sending-domains';
const item = `${collection}/{sending_domain_id}`;
const write = { access: 'transports:write', params: sendingDomainParams, tag } as const;
const withinTwoSeconds = 'Holds in running send workers within two seconds.';

function createRoute(parts: SendingDomainParts): Route {
  return defineRoute({
    ...{ method: 'post', path: collection, operationId: 'createSendingDomain', tag },
    summary: 'Create a DKIM key for a sending domain',
    description:
      'Publish `dns_record`, verify, then activate: from then on what is sent from the domain is signed with it. A domain may have one active key of each ' +
      `algorithm. Domains without an active key are sent from unsigned, for relays that sign themselves. At most ${mostKeys} keys.`,
    access: 'transports:write',
    idempotent: true,
    body: newSendingDomain,
    problems: ['conflict'],
    responses: {
      201: { description: 'The new key', schema: sendingDomainOut, headers: { Location: 'It' } },
    },
    async handle({ tenantId, body }) {
      return created(await createSendingDomain(parts, tenantId, body));
    },
  });
}

function listRoute({ db }: SendingDomainParts): Route {
  return defineRoute({
    ...{ method: 'get', path: collection, operationId: 'listSendingDomains', tag },
    summary: 'List the keys of sending domains',
    access: 'transports:read',
    query: sendingDomainQuery,
    responses: { 200: { description: 'One page', schema: pageOf(sendingDomainOut) } },
    async handle({ tenantId, query: { domain, cursor, page_size: size } }) {
      const [afterId] = decodeCursor(cursor, z.int()) ?? [0];
      const rows = await listSendingDomains(db, tenantId, { domain, afterId, limit: size + 1 });
      const position = (row: SendingDomain) => [row.id] as const;
      return json(200, toPage(rows, size, { item: showSendingDomain, position }));
    },
  });
}

function getRoute({ db }: SendingDomainParts): Route {
  return defineRoute({
    ...{ ...write, method: 'get', path: item, operationId: 'getSendingDomain', access: 'transports:read' },
    summary: 'Get a key of a sending domain',
    responses: { 200: { description: 'The key, without its private half', schema: sendingDomainOut } },
    async handle({ tenantId, params }) {
      const row = await getSendingDomain(db, { tenantId, id: params.sending_domain_id });
      return json(200, showSendingDomain(row));
    },
  });
}

function activateRoute({ db }: SendingDomainParts): Route {
  return defineRoute({
    ...{ ...write, method: 'post', path: `${item}/activate`, operationId: 'activateSendingDomain' },
    summary: 'Let a key sign',
    description: `Instead of the one of its domain and algorithm that signs now. ${withinTwoSeconds}`,
    responses: { 200: { description: 'The active key', schema: sendingDomainOut } },
    async handle({ tenantId, params }) {
      const key = { tenantId, id: params.sending_domain_id };
      await db.transaction((tx) => activateSendingDomain(tx, key));
      return json(200, showSendingDomain(await getSendingDomain(db, key)));
    },
  });
}

function deactivateRoute({ db }: SendingDomainParts): Route {
  return defineRoute({
    ...{ ...write, method: 'post', path: `${item}/deactivate`, operationId: 'deactivateSendingDomain' },
    summary: 'End signing with a key',
    description: `Without another active key its domain is sent from unsigned. ${withinTwoSeconds}`,
    responses: { 200: { description: 'The inactive key', schema: sendingDomainOut } },
    async handle({ tenantId, params }) {
      const key = { tenantId, id: params.sending_domain_id };
      await deactivateSendingDomain(db, key);
      return json(200, showSendingDomain(await getSendingDomain(db, key)));
    },
  });
}

function rotateRoute(parts: SendingDomainParts): Route {
  return defineRoute({
    ...{ ...write, method: 'post', path: `${item}/rotate`, operationId: 'rotateSendingDomain' },
    summary: 'Create the key that is to replace this one',
    description:
      'Of the same domain and algorithm, under a new selector, and not active yet: this one goes on signing. Publish the new record, verify and activate; then keep the old ' +
      'record for some days, for mail that is still on its way, and delete the old key.',
    idempotent: true,
    body: rotation,
    problems: ['conflict'],
    responses: {
      201: { description: 'The new key', schema: sendingDomainOut, headers: { Location: 'It' } },
    },
    async handle({ tenantId, params, body }) {
      return created(await rotateSendingDomain(parts, { tenantId, id: params.sending_domain_id }, body));
    },
  });
}

function verifyRoute({ db, resolveTxt: resolve }: SendingDomainParts): Route {
  return defineRoute({
    ...{ ...write, method: 'post', path: `${item}/verify`, operationId: 'verifySendingDomain' },
    summary: 'Look whether the record is in the DNS',
    description: 'Changes nothing. Answers within about five seconds.',
    responses: { 200: { description: 'What was found', schema: recordCheckOut } },
    async handle({ tenantId, params }) {
      const row = await getSendingDomain(db, { tenantId, id: params.sending_domain_id });
      return json(200, await checkRecord(resolve, row));
    },
  });
}

function deleteRoute({ db }: SendingDomainParts): Route {
  return defineRoute({
    ...{ ...write, method: 'delete', path: item, operationId: 'deleteSendingDomain' },
    summary: 'Delete a key that does not sign',
    problems: ['conflict'],
    responses: { 204: { description: 'Deleted, its private half too' } },
    async handle({ tenantId, params }) {
      await removeSendingDomain(db, { tenantId, id: params.sending_domain_id });
      return json(204);
    },
  });
}

function created(row: SendingDomain) {
  const shown = showSendingDomain(row);
  return json(201, shown, { Location: `${collection}/${shown.id}` });
}
