/**
 * `/u/{token}`, the link in every message: a page that asks, and the POST behind it, which is also the one-click POST of
 * mail programs (RFC 8058: no cookies, no redirect, urlencoded or multipart, whose content says nothing we don't know).
 * A GET changes nothing: scanners follow every link.
 */
import { z } from 'zod';
import { defineRoute, type Route, type RouteReply } from '../http/route.ts';
import type { Database } from '../platform/mysql.ts';
import { type SigningKey, type UnsubscribeTarget, verifyUnsubscribe } from '../render/tokens.ts';
import { listScope, type SuppressionScope, suppressAddresses } from './suppression-store.ts';
import { askPage, donePage, unknownPage } from './unsubscribe-page.ts';

export interface UnsubscribeRoutesOptions {
  readonly db: Database;
  /** All that ever signed a link which should still work. */
  readonly signingKeys: readonly SigningKey[];
}

export function unsubscribeRoutes({ db, signingKeys }: UnsubscribeRoutesOptions): Route[] {
  const answer = async (token: string, act: (target: UnsubscribeTarget) => Promise<string>) => {
    const target = verifyUnsubscribe(signingKeys, token);
    return target ? htmlReply(200, await act(target)) : htmlReply(404, unknownPage());
  };
  return [
    askRoute((token) => answer(token, async (target) => askPage((await readSubject(db, target)).name))),
    confirmRoute((token) =>
      answer(token, async (target) => {
        const { name, scope } = await readSubject(db, target);
        await unsubscribe(db, target, scope);
        return donePage(name, { isOneList: scope !== '*' });
      }),
    ),
  ];
}

/** Idempotent. Somebody erased is suppressed already, and unknown here: nothing is left to do. */
async function unsubscribe(
  db: Database,
  { tenantId, profileId }: UnsubscribeTarget,
  scope: SuppressionScope,
): Promise<void> {
  const profile = await db.first<{ hash: Buffer | null }>(
    'SELECT email_hash AS hash FROM profiles WHERE tenant_id = ? AND id = ?',
    [tenantId, profileId],
  );
  if (!profile?.hash) return;
  const entry = {
    addressHash: profile.hash,
    scope,
    reason: 'unsubscribe',
    source: 'unsubscribe_link',
  } as const;
  await suppressAddresses(db, tenantId, [entry]);
}

type Answer = (token: string) => Promise<RouteReply>;

const tag = 'Unsubscribe';
const params = z.strictObject({ token: z.string() });
const responses = {
  200: { description: 'A page for people', contentType: 'text/html' },
  404: { description: 'A page that says that the link is not valid', contentType: 'text/html' },
};

function askRoute(answer: Answer): Route {
  return defineRoute({
    method: 'get',
    path: '/u/{token}',
    operationId: 'askUnsubscribe',
    summary: 'The page behind an unsubscribe link; it changes nothing',
    tag,
    access: 'public',
    params,
    responses,
    handle: ({ params: { token } }) => answer(token),
  });
}

function confirmRoute(answer: Answer): Route {
  return defineRoute({
    method: 'post',
    path: '/u/{token}',
    operationId: 'unsubscribe',
    summary: 'Unsubscribe, by the form or by one click (RFC 8058)',
    tag,
    access: 'public',
    params,
    rawBody: ['any'],
    responses,
    handle: ({ params: { token } }) => answer(token),
  });
}

interface Subject {
  /** "messages from Shop", or "Weekly news" from Shop. */
  readonly name: string;
  readonly scope: SuppressionScope;
}

/** What the link ends: the same that the page names. A list that is gone ends nothing, so its link ends everything. */
async function readSubject(db: Database, { tenantId, list }: UnsubscribeTarget): Promise<Subject> {
  const listId = list === '*' ? 0 : list;
  const names = await db.first<{ tenant: string; list: string | null }>(
    `SELECT t.name AS tenant, l.name AS list FROM tenants t LEFT JOIN lists l ON l.tenant_id = t.id AND l.id = ?
     WHERE t.id = ?`,
    [listId, tenantId],
  );
  if (list === '*' || typeof names?.list !== 'string')
    return { name: names ? `messages from ${names.tenant}` : 'these messages', scope: '*' };
  return { name: `"${names.list}" from ${names.tenant}`, scope: listScope(list) };
}

function htmlReply(status: number, body: string): RouteReply {
  return { kind: 'html', status, body };
}
