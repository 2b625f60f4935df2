/** From the API's fields to a campaign's content. */
import type { CampaignAudience, CampaignContent, CampaignMessage } from './campaign.ts';
import { type CampaignPatch, deliverWithinOf, type NewCampaign } from './campaign-schemas.ts';

export function toContent(body: NewCampaign): CampaignContent {
  return {
    name: body.name,
    audience: toAudience(body.audience),
    message: toMessage(body.message),
    templateId: body.template_id,
    templateVersion: body.template_version,
    transportId: body.transport_id,
    class: body.class,
    inDoubtPolicy: body.in_doubt_policy,
    deliverWithinSeconds: deliverWithinOf(body),
    maxPerMinute: body.max_per_minute,
  };
}

/** Another template without a version means its latest: the old one's number is of no use. */
export function applyPatch(content: CampaignContent, patch: CampaignPatch): CampaignContent {
  const isOtherTemplate = patch.template_id !== undefined && patch.template_id !== content.templateId;
  const keptVersion = isOtherTemplate ? null : content.templateVersion;
  return {
    name: patch.name ?? content.name,
    audience: patch.audience ? toAudience(patch.audience) : content.audience,
    message: patch.message ? toMessage(patch.message) : content.message,
    templateId: given(patch.template_id, content.templateId),
    templateVersion: given(patch.template_version, keptVersion),
    transportId: given(patch.transport_id, content.transportId),
    class: patch.class ?? content.class,
    inDoubtPolicy: patch.in_doubt_policy ?? content.inDoubtPolicy,
    deliverWithinSeconds: patch.deliver_within_seconds ?? content.deliverWithinSeconds,
    maxPerMinute: given(patch.max_per_minute, content.maxPerMinute),
  };
}

function toAudience({ included_lists, excluded_lists }: NewCampaign['audience']): CampaignAudience {
  return { includedLists: [...new Set(included_lists)], excludedLists: [...new Set(excluded_lists)] };
}

function toMessage({ from_email, from_name, reply_to, headers }: NewCampaign['message']): CampaignMessage {
  return { fromEmail: from_email, fromName: from_name, replyTo: reply_to, headers };
}

function given<T>(patched: T | undefined, present: T): T {
  return patched === undefined ? present : patched;
}
