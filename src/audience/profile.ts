/** A person of a tenant's audience, as the stores hold and take one. */
import type { ProfileId } from '../ids.ts';
import type { Attributes } from './attributes.ts';

export interface Consent {
  readonly status: 'subscribed' | 'unsubscribed' | 'unknown';
  /** Where and how it was given: the proof GDPR asks for. */
  readonly source: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface Profile {
  readonly id: ProfileId;
  readonly email: string;
  readonly phone: string | null;
  readonly timeZone: string | null;
  readonly consent: Consent | null;
  readonly attributes: Attributes;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What is to become of a profile's fields: undefined leaves one, null clears it. */
export interface ProfileChange {
  readonly phone?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly consent?: Consent | null | undefined;
  /** Merged into what is there; nulls clear (RFC 7396). */
  readonly attributes?: Attributes | undefined;
}

/** A change to whoever has this address, or a new profile. `email` has passed `parseAddress`; the hash is its own (`hexAddressHash`). */
export interface ProfilePatch extends ProfileChange {
  readonly email: string;
  readonly hexHash: string;
}
