/**
 * `/u/{token}`, the link in every message: a page that asks, and the POST behind it, which is also the one-click POST of
 * mail programs (RFC 8058: no cookies, no redirect, urlencoded or multipart, whose content says nothing we don't know).
 * A GET changes nothing: scanners follow every link.
 */
import { z } from 'zod';
import { defineRoute, type Route, type RouteReply } from '../http/route.ts';
import type { Database } from '../platform/mysql.ts';
import { type SigningKey, type UnsubscribeTarget, verifyUnsubscribe } from '../render/tokens.ts';
import { listScope, suppressAddresses } from './suppression-store.ts';
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
    askRoute((token) => answer(token, async (target) => askPage(await nameSender(db, target)))),
    confirmRoute((token) =>
      answer(token, async (target) => {
        await unsubscribe(db, target);
        return donePage(await nameSender(db, target));
      }),
    ),
  ];
}

/** Idempotent. Somebody erased is suppressed already, and unknown here: nothing is left to do. */
async function unsubscribe(db: Database, target: UnsubscribeTarget): Promise<void> {
  const { tenantId, profileId, list } = target;
  const profile = await db.first<{ hash: Buffer | null }>(
    'SELECT email_hash AS hash FROM profiles WHERE tenant_id = ? AND id = ?',
    [tenantId, profileId],
  );
  if (!profile?.hash) return;
  const scope = list === '*' ? list : listScope(list);
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

/** "Shop", or "Weekly news of Shop". */
async function nameSender(db: Database, { tenantId, list }: UnsubscribeTarget): Promise<string> {
  const listId = list === '*' ? 0 : list;
  const names = await db.first<{ tenant: string; list: string | null }>(
    `SELECT t.name AS tenant, l.name AS list FROM tenants t LEFT JOIN lists l ON l.tenant_id = t.id AND l.id = ?
     WHERE t.id = ?`,
    [listId, tenantId],
  );
  if (!names) return 'these messages';
  return names.list === null ? `messages from ${names.tenant}` : `"${names.list}" from ${names.tenant}`;
}

function htmlReply(status: number, body: string): RouteReply {
  return { kind: 'html', status, body };
}
