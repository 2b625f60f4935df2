/** `/v1/suppressions`: who must not be sent to. */
import { z } from 'zod';
import { AppError, type FieldError } from '../errors.ts';
import { decodeCursor, toPage } from '../http/pagination.ts';
import { defineRoute, json, type Route } from '../http/route.ts';
import { idParam, pageOf, pageQuery } from '../http/schemas.ts';
import type { ListId, TenantId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { addressHash, parseAddress } from './address.ts';
import { conflictOut, fieldErrorOut, showSuppression, suppressionOut } from './audience-schemas.ts';
import { findList } from './list-store.ts';
import { addressText, describeAddressProblem } from './profile-input.ts';
import {
  liftSuppression,
  listScope,
  listSuppressions,
  type SuppressionScope,
  suppressAddresses,
} from './suppression-store.ts';

export interface SuppressionRoutesOptions {
  readonly db: Database;
  /** Keys the HMAC of addresses: the same in every process. */
  readonly addressKey: Buffer;
}

export function suppressionRoutes(options: SuppressionRoutesOptions): Route[] {
  return [listRoute(options), suppressRoute(options), liftRoute(options)];
}

const tag = 'Suppressions';
const scopeParam = z
  .union([z.literal('*'), idParam('list')])
  .default('*')
  .meta({
    description: '`*` for every message, or the id of a list: for what would come by way of that list alone',
  });

const suppressBody = z
  .strictObject({
    email: addressText.optional(),
    emails: z.array(z.string()).min(1).max(1000).optional(),
    scope: scopeParam,
    reason: z
      .enum(['user_suppressed', 'unsubscribe', 'invalid_email', 'hard_bounce', 'complaint'])
      .default('user_suppressed')
      .meta({ description: 'Only `user_suppressed` can be lifted again' }),
  })
  .refine(({ email, emails }) => (email === undefined) !== (emails === undefined), {
    message: 'needs either email or emails',
  });

function listRoute({ db, addressKey }: SuppressionRoutesOptions): Route {
  return defineRoute({
    method: 'get',
    path: '/v1/suppressions',
    operationId: 'listSuppressions',
    summary: 'List suppressions, or check one address',
    tag,
    access: 'suppressions:read',
    query: pageQuery.extend({ email: addressText.optional() }),
    responses: { 200: { description: 'A page of suppressions', schema: pageOf(suppressionOut) } },
    async handle({ tenantId, query: { email, cursor, page_size: size } }) {
      const position = decodeCursor(cursor, z.string().regex(/^[0-9a-f]{32}$/), z.string().max(32));
      const rows = await listSuppressions(db, {
        tenantId,
        after: position && { addressHash: Buffer.from(position[0], 'hex'), scope: position[1] },
        addressHash: email === undefined ? undefined : addressHash(addressKey, tenantId, email),
        limit: size + 1,
      });
      const shown = email === undefined ? rows : rows.map((row) => ({ ...row, email }));
      return json(
        200,
        toPage(shown, size, {
          item: showSuppression,
          position: (row) => [row.addressHash.toString('hex'), row.scope],
        }),
      );
    },
  });
}

function suppressRoute({ db, addressKey }: SuppressionRoutesOptions): Route {
  return defineRoute({
    method: 'post',
    path: '/v1/suppressions',
    operationId: 'suppress',
    summary: 'Suppress an address, or up to 1,000',
    description:
      'No message starts 2 s after the reply. A stronger reason that is there already stays. Naturally idempotent.',
    tag,
    access: 'suppressions:write',
    body: suppressBody,
    responses: {
      200: {
        description: 'Suppressed; addresses that are none are reported and the others are suppressed',
        schema: z.object({ suppressed: z.number().int(), rejected: z.array(fieldErrorOut) }),
      },
    },
    async handle({ tenantId, body: { email, emails = [], scope, reason } }) {
      const { valid, rejected } = sortOut(email === undefined ? emails : [email]);
      const stored = await readScope(db, tenantId, scope);
      const entries = valid.map((address) => ({
        addressHash: addressHash(addressKey, tenantId, address),
        scope: stored,
        reason,
        source: 'api',
      }));
      await db.transaction((tx) => suppressAddresses(tx, tenantId, entries));
      return json(200, { suppressed: entries.length, rejected });
    },
  });
}

function liftRoute({ db, addressKey }: SuppressionRoutesOptions): Route {
  return defineRoute({
    method: 'delete',
    path: '/v1/suppressions',
    operationId: 'liftSuppression',
    summary: 'Lift a suppression',
    description:
      'Only `user_suppressed` can be lifted; the others are the word of the recipient or of their provider: 409. ' +
      'Lifting what is not there answers the same as lifting.',
    tag,
    access: 'suppressions:write',
    query: z.strictObject({ email: addressText, scope: scopeParam }),
    responses: {
      204: { description: 'Not suppressed (any more)' },
      409: conflictOut('It has a reason that cannot be lifted'),
    },
    async handle({ tenantId, query: { email, scope } }) {
      const result = await liftSuppression(db, {
        tenantId,
        addressHash: addressHash(addressKey, tenantId, email),
        scope: toScope(scope),
      });
      if (result.kind !== 'kept') return json(204);
      throw new AppError('conflict', { detail: `The reason is ${result.reason}, which can't be lifted` });
    },
  });
}

function sortOut(texts: readonly string[]): { valid: readonly string[]; rejected: readonly FieldError[] } {
  const valid: string[] = [];
  const rejected: FieldError[] = [];
  for (const [index, text] of texts.entries()) {
    const address = parseAddress(text);
    if (address.kind === 'address') valid.push(address.email);
    else rejected.push({ pointer: `/emails/${index}`, detail: describeAddressProblem(address.reason) });
  }
  return { valid, rejected };
}

function toScope(scope: ListId | '*'): SuppressionScope {
  return scope === '*' ? scope : listScope(scope);
}

async function readScope(db: Database, tenantId: TenantId, scope: ListId | '*'): Promise<SuppressionScope> {
  if (scope !== '*' && !(await findList(db, { tenantId, id: scope }))) {
    throw new AppError('invalid_request', {
      errors: [{ pointer: '/scope', detail: 'There is no such list' }],
    });
  }
  return toScope(scope);
}
