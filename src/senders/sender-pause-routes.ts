/** `/v1/sender-pauses`: sending domains that rest at a destination because it refuses them, and ending such a rest. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idOut, idParam, pageOf, pageQuery, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { type ActivePause, listSenderPauses, resumeSender } from './sender-pauses.ts';

export function senderPauseRoutes(db: Database): Route[] {
  return [listRoute(db), resumeRoute(db)];
}

const tag = 'Sender pauses';

const domainParam = z
  .string()
  .max(253)
  .regex(/^[a-z0-9.-]+$/i, 'is not a domain')
  .transform((domain) => domain.toLowerCase());

const pauseOut = z
  .object({
    destination_id: idOut('destination'),
    destination: z.string().meta({ description: 'Its name, as `gmail`', example: 'gmail' }),
    transport_id: idOut('transport'),
    domain: z
      .string()
      .meta({ description: 'The sending domain that rests there', example: 'news.example.com' }),
    since: timestamp,
    until: timestamp,
    reply_code: z.int(),
    reply: z.string().meta({ description: 'The last refusal, without addresses' }),
    refusals: z.int().meta({ description: 'At most one a second of each send worker is counted' }),
    last_refused_at: timestamp,
  })
  .meta({ id: 'SenderPause' });

function listRoute(db: Database): Route {
  return defineRoute({
    ...{ method: 'get', path: '/v1/sender-pauses', operationId: 'listSenderPauses', tag },
    summary: 'List the sending domains that rest at a destination',
    description:
      'The destination refused them for policy: authentication, reputation, a block list. Their messages wait; no address is suppressed. A pause ends by itself.',
    access: 'transports:read',
    query: pageQuery,
    responses: { 200: { description: 'One page', schema: pageOf(pauseOut) } },
    async handle({ tenantId, query: { cursor, page_size: size } }) {
      const [afterDestinationId, afterDomain] = decodeCursor(cursor, z.int(), z.string()) ?? [0, ''];
      const page = { afterDestinationId, afterDomain, limit: size + 1 };
      const rows = await listSenderPauses(db, tenantId, page);
      const position = (row: ActivePause) => [row.destinationId, row.domain] as const;
      return json(200, toPage(rows, size, { item: show, position }));
    },
  });
}

function resumeRoute(db: Database): Route {
  return defineRoute({
    ...{
      method: 'delete',
      path: '/v1/sender-pauses/{destination_id}/{domain}',
      operationId: 'resumeSender',
      tag,
    },
    summary: 'Let a sending domain go on at a destination now',
    description:
      'Best done once the cause is gone: if the destination still refuses, the domain soon rests again.',
    access: 'transports:write',
    params: z.strictObject({ destination_id: idParam('destination'), domain: domainParam }),
    responses: { 204: { description: 'It goes on' } },
    async handle({ tenantId, params: { destination_id: destinationId, domain } }) {
      if (!(await db.transaction((tx) => resumeSender(tx, { tenantId, destinationId, domain }))))
        throw new AppError('not_found', { detail: 'There is no such pause' });
      return json(204);
    },
  });
}

function show(pause: ActivePause) {
  return {
    destination_id: formatId('destination', pause.destinationId),
    destination: pause.destination,
    transport_id: formatId('transport', pause.transportId),
    domain: pause.domain,
    since: pause.firstAt,
    until: pause.until,
    reply_code: pause.replyCode,
    reply: pause.reply,
    refusals: pause.refusals,
    last_refused_at: pause.lastAt,
  };
}
