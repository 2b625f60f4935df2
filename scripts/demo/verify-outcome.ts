/**
 * Compares the ledger with the other side, recipient by recipient: every delivery that the ledger calls sent was accepted
 * by the sink exactly once, nothing else was, and no address got two.
 */
import { readAcceptedLog } from '../../src/testing/smtp-sink/accepted-message.ts';
import type { ApiClient } from './api-client.ts';

export interface Verdict {
  readonly isTrue: boolean;
  readonly perState: ReadonlyMap<string, number>;
  readonly accepted: number;
  readonly findings: readonly string[];
}

const shownFindings = 5;

export async function verifyOutcome(
  api: ApiClient,
  campaignId: string,
  acceptedLog: string,
): Promise<Verdict> {
  const accepted = await readAccepted(acceptedLog);
  const perState = new Map<string, number>();
  const findings = [...accepted.findings];
  for await (const delivery of listDeliveries(api, campaignId)) {
    perState.set(delivery.state, (perState.get(delivery.state) ?? 0) + 1);
    const wasAccepted = accepted.ids.delete(delivery.id);
    if (wasAccepted !== (delivery.state === 'sent')) {
      findings.push(
        `${delivery.id} is ${delivery.state}, the sink ${wasAccepted ? 'accepted' : 'never saw'} it`,
      );
    }
  }
  for (const id of accepted.ids) findings.push(`the sink accepted ${id}, which the ledger does not know`);
  return {
    isTrue: findings.length === 0,
    perState,
    accepted: accepted.count,
    findings: findings.slice(0, shownFindings),
  };
}

/** Deliveries by the id in their Message-ID, and what is wrong already: an address or an id that came twice. */
async function readAccepted(path: string) {
  const ids = new Set<string>();
  const addresses = new Set<string>();
  const findings: string[] = [];
  let count = 0;
  for await (const { messageId, to } of readAcceptedLog(path)) {
    count++;
    const id = /^<(dlv_[0-9a-z]+)\./.exec(messageId)?.[1] ?? messageId;
    const address = to[0]?.toLowerCase() ?? '';
    if (ids.has(id) || addresses.has(address)) findings.push(`${id} was accepted twice`);
    ids.add(id);
    addresses.add(address);
  }
  return { ids, count, findings };
}

async function* listDeliveries(api: ApiClient, campaignId: string) {
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.get(`/v1/campaigns/${campaignId}/deliveries?page_size=200${query}`);
    yield* page.data as readonly { readonly id: string; readonly state: string }[];
    cursor = page.next_cursor;
  } while (cursor !== null);
}
