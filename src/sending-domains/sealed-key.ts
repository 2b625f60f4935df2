/** A signing key between the API, its row and the worker that signs. */
import { openDkimKey } from '../dkim/dkim-key.ts';
import type { DkimKey } from '../dkim/sign-message.ts';
import { AppError } from '../errors.ts';
import type { SecretBox } from '../platform/secret-box.ts';
import type { SealedKey } from './sending-domain-store.ts';

type KeyPlace = Pick<SealedKey, 'tenantId' | 'id' | 'domain' | 'selector'>;

export function sealDkimKey(box: SecretBox, place: KeyPlace, privateKey: string): Buffer {
  return box.seal(privateKey, boundTo(place));
}

/** Throws `unavailable` when it doesn't open with our SECRET_KEY, or is damaged. */
export function openSealedKey(box: SecretBox, sealed: SealedKey): DkimKey {
  const { domain, selector, algorithm } = sealed;
  const privateKey = openDkimKey(box.open(sealed.privateKey, boundTo(sealed)));
  if (!privateKey) throw new AppError('unavailable', { detail: 'A stored signing key is damaged' });
  return { domain, selector, algorithm, privateKey };
}

/** Copied into another tenant's row, or to another domain, it must not sign there. */
function boundTo({ tenantId, id, domain, selector }: KeyPlace): string {
  return `sending domain ${tenantId} ${id} ${selector}._domainkey.${domain}`;
}
