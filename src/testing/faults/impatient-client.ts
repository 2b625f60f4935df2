/** A client of the API that waits for some seconds and asks again, with the same Idempotency-Key, until it is told: what callers do to a service that dies. */
import { createKeySecret, hashSecret, hintOf } from '../../http/secret.ts';
import { formatId } from '../../ids.ts';
import { insertApiKey } from '../../tenants/api-key-store.ts';
import { createTestClient, type TestClient, type TestReply } from '../test-api.ts';
import type { TestOwner } from '../test-campaign.ts';
import { waitFor } from '../wait-for.ts';
import type { Installation } from './installation.ts';

export interface ImpatientClient {
  /** The first reply that says what became of it. */
  post(path: string, body?: object, idempotencyKey?: string): Promise<TestReply>;
}

/** Longer than a template takes to compile on a machine that runs four experiments at once: who asks again sooner only adds to it. */
const patienceMs = 4_000;
const givesUpAfterMs = 25_000;
const askAgainMs = 200;

export async function createImpatientClient(
  { db, apiUrl }: Installation,
  { tenantId }: TestOwner,
): Promise<ImpatientClient> {
  const secret = createKeySecret();
  const key = { name: 'test', scopes: ['*'] as const, hash: hashSecret(secret), hint: hintOf(secret) };
  await insertApiKey(db, tenantId, key);
  const client = createTestClient(apiUrl, secret);
  return {
    post: (path, body, idempotencyKey) => {
      const headers = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey };
      return waitFor(path, () => ask(client, path, body, headers), givesUpAfterMs, askAgainMs);
    },
  };
}

/** Undefined when it has to ask again. */
async function ask(
  client: TestClient,
  path: string,
  body: object | undefined,
  headers: Record<string, string>,
) {
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, patienceMs, undefined));
  const reply = await Promise.race([client.post(path, body, { headers }), late]).catch(() => undefined);
  if (reply === undefined || reply.status >= 500) return undefined;
  return reply.body?.code === 'idempotency_in_progress' ? undefined : reply;
}

/** What a campaign of this owner says, but for its template. */
export function draftOf({ listId, transportId }: TestOwner): object {
  return {
    name: 'Submitted',
    audience: { included_lists: [formatId('list', listId)] },
    message: { from_email: 'shop@example.com', from_name: 'Shop' },
    transport_id: formatId('transport', transportId),
    in_doubt_policy: 'resend',
  };
}
