/** The names by which a chunk's spans and log lines can be found: ids as the API shows them, for that is what a caller has. Pure. */

import type { Attributes } from '@opentelemetry/api';
import { formatId } from '../ids.ts';
import type { CampaignKey } from '../ledger/campaign-key.ts';
import type { Grant } from '../ledger/grant.ts';
import type { DeliveryClass } from '../ledger/states.ts';

/** Where a grant goes: with its tenant, this is its lane. */
export interface GrantPlace {
  readonly destinationId: number;
  readonly class: DeliveryClass;
}

/** As log fields. */
export function campaignFields({ tenantId, campaignId }: CampaignKey) {
  return { tenantId: formatId('tenant', tenantId), campaignId: formatId('campaign', campaignId) };
}

export function chunkFields(key: CampaignKey & { readonly chunkNo: number }) {
  return { ...campaignFields(key), chunkNo: key.chunkNo };
}

export function grantFields(grant: Grant, place: GrantPlace) {
  return { ...chunkFields(grant), lane: laneName(grant.tenantId, place) };
}

export function placeFields({ transportId, destinationId }: { transportId: number; destinationId: number }) {
  return {
    transportId: formatId('transport', transportId),
    destinationId: formatId('destination', destinationId),
  };
}

/** As attributes of spans. */
export function campaignAttributes(key: CampaignKey): Attributes {
  const { tenantId, campaignId } = campaignFields(key);
  return { 'sluice.tenant_id': tenantId, 'sluice.campaign_id': campaignId };
}

export function grantAttributes(grant: Grant, place: GrantPlace): Attributes {
  return {
    ...campaignAttributes(grant),
    'sluice.chunk': grant.chunkNo,
    'sluice.epoch': grant.epoch,
    'sluice.lane': laneName(grant.tenantId, place),
    'messaging.batch.message_count': grant.n,
  };
}

function laneName(tenantId: number, place: GrantPlace): string {
  return `${formatId('tenant', tenantId)}/${formatId('destination', place.destinationId)}/${place.class}`;
}
