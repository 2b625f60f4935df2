/** A grant's recipients to messages: computation alone, with nothing asked of MySQL or Redis. Whoever can't be rendered is skipped, with the reason. */
import type { ListId, ProfileId } from '../../ids.ts';
import { formatDeliveryId } from '../../ledger/delivery-id.ts';
import type { Grant } from '../../ledger/grant.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RenderedMessage } from '../message.ts';
import { encodedSize } from '../payload.ts';
import type { Recipient } from '../recipient.ts';
import { renderRecipient } from '../render.ts';
import { formatUnsubscribeUrl, type SigningKey, signDeliveryId, signUnsubscribe } from '../tokens.ts';
import type { PreparedMessage } from './campaign-messages.ts';
import type { GrantRecipient } from './read-recipients.ts';
import { createRunawayGuard } from './runaway-guard.ts';

export interface RecipientRendererOptions {
  readonly clock: Clock;
  readonly signingKey: SigningKey;
  readonly publicUrl: string;
}

export interface RecipientsToRender {
  readonly grant: Grant;
  readonly prepared: PreparedMessage;
  readonly recipients: readonly GrantRecipient[];
  /** Monotonic ms: those that are not rendered by then stay pending, but for the first. */
  readonly until: number;
}

export interface SkippedRecipient {
  readonly seq: number;
  readonly reason: string;
}

export interface RenderedRecipients {
  readonly rendered: readonly RenderedMessage[];
  readonly skipped: readonly SkippedRecipient[];
}

type OneRendered =
  | { readonly kind: 'rendered'; readonly message: RenderedMessage }
  | { readonly kind: 'skipped'; readonly reason: string };

/** A grant's value is at most this long; what doesn't fit stays pending and is granted again. */
const largestValueBytes = 1_000_000;
/** After this many messages others get the event loop (the lock renewal, the probes). */
const messagesPerTurn = 50;

export class RecipientRenderer {
  readonly #options: RecipientRendererOptions;
  readonly #runaways = createRunawayGuard();

  constructor(options: RecipientRendererOptions) {
    this.#options = options;
  }

  async renderAll({ grant, prepared, recipients, until }: RecipientsToRender): Promise<RenderedRecipients> {
    const rendered: RenderedMessage[] = [];
    const skipped: SkippedRecipient[] = [];
    let bytes = 0;
    for (const [index, recipient] of recipients.entries()) {
      if (index % messagesPerTurn === messagesPerTurn - 1) await nextTurn();
      if (index > 0 && this.#options.clock.monotonic() > until) break;
      const result = this.#renderOne(grant, prepared, recipient);
      if (result.kind === 'skipped') {
        skipped.push({ seq: recipient.seq, reason: result.reason });
        continue;
      }
      bytes += encodedSize(result.message);
      if (bytes > largestValueBytes && rendered.length > 0) break;
      rendered.push(result.message);
    }
    return { rendered, skipped };
  }

  #renderOne(grant: Grant, prepared: PreparedMessage, recipient: GrantRecipient): OneRendered {
    if (prepared.kind === 'broken') return { kind: 'skipped', reason: prepared.reason };
    if (recipient.email === null) return { kind: 'skipped', reason: 'profile_erased' };
    if (recipient.hasMoved) return { kind: 'skipped', reason: 'address_changed' };
    const campaign = `${grant.tenantId}-${grant.campaignId}`;
    if (this.#runaways.hasRunAway(campaign))
      return { kind: 'skipped', reason: 'render_limit: as for others before' };
    const named = this.#name(grant, recipient, recipient.email, prepared.unsubscribeList);
    const of = { campaign: prepared.campaign, now: new Date(this.#options.clock.now()) };
    const result = renderRecipient(prepared.template, named, of);
    this.#runaways.note(campaign, result.kind === 'skipped' && result.reason === 'render_limit');
    if (result.kind === 'rendered') return result;
    return { kind: 'skipped', reason: `${result.reason}: ${result.detail}` };
  }

  /** With what tells us who it was when it comes back: by a bounce, by a click. */
  #name(grant: Grant, recipient: GrantRecipient, email: string, list: ListId | '*'): Recipient {
    const { signingKey, publicUrl } = this.#options;
    const { seq, attributes } = recipient;
    const profileId = recipient.profileId as ProfileId;
    const unsubscribe = signUnsubscribe(signingKey, { tenantId: grant.tenantId, profileId, list });
    return {
      seq,
      email,
      attributes,
      token: signDeliveryId(signingKey, formatDeliveryId({ ...grant, seq })),
      unsubscribeUrl: formatUnsubscribeUrl(publicUrl, unsubscribe),
    };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
