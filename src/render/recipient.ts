/** What rendering needs to know of one recipient, and of the moment. */
import { parseAddress } from '../audience/address.ts';
import { spellMoment } from './moment.ts';
import { RenderFailure } from './render-failure.ts';
import type { Scope } from './template.ts';

export interface Recipient {
  /** Which delivery of the chunk. */
  readonly seq: number;
  readonly email: string;
  /** The profile's attributes: JSON values. Templates see them as `profile.*`, and the address as `profile.email`. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `signDeliveryId`: becomes Message-ID and return path. */
  readonly token: string;
  /** `formatUnsubscribeUrl`. */
  readonly unsubscribeUrl: string;
}

export interface RenderContext {
  readonly campaign: { readonly id: string; readonly name: string };
  /** The message's Date, and the templates' `now`. */
  readonly now: Date;
}

/** A fresh one for each template of a message: they may change it. */
export function createScope(recipient: Recipient, { campaign, now }: RenderContext): Scope {
  return {
    variables: {
      profile: { ...recipient.attributes, email: recipient.email },
      campaign,
      unsubscribe_url: recipient.unsubscribeUrl,
    },
    globals: { now: spellMoment(now).iso },
  };
}

export interface CheckedAddress {
  readonly email: string;
  readonly isSmtpUtf8: boolean;
}

/** The address as it is sent to. Throws a failure for one that can't be, and for tokens that would break a header. */
export function checkRecipient({ email, token, unsubscribeUrl }: Recipient): CheckedAddress {
  const address = parseAddress(email);
  if (address.kind === 'invalid') throw new RenderFailure('invalid_address', address.reason);
  if (!headerToken.test(token) || !headerUrl.test(unsubscribeUrl)) {
    throw new RenderFailure('header_injection', 'the delivery token or the unsubscribe URL');
  }
  return address;
}

/** 62 and the `b+` of the return path are the 64 octets of a local part. */
const headerToken = /^[A-Za-z0-9_.-]{1,62}$/;
const headerUrl = /^[\x21-\x3b\x3d\x3f-\x7e]{1,900}$/;
