/** The only recipients there are: return paths that we signed ourselves, `b+{delivery id}.{mac}@anything`. */
import { type DeliveryKey, parseDeliveryId } from '../ledger/delivery-id.ts';
import { findDeliveryToken, type SigningKey, verifyDeliveryToken } from '../render/tokens.ts';

export interface SignedDelivery {
  readonly id: string;
  readonly key: DeliveryKey;
}

/** The delivery a token stands for, when one of the keys signed it. Constant time in the MAC. */
export function readToken(keys: readonly SigningKey[], token: string): SignedDelivery | undefined {
  const id = verifyDeliveryToken(keys, token);
  const key = id === undefined ? undefined : parseDeliveryId(id);
  return id === undefined || key === undefined ? undefined : { id, key };
}

/** The domain is not looked at: every tenant has one of its own, and the token already says whose it is. */
export function readReturnPath(keys: readonly SigningKey[], address: string): SignedDelivery | undefined {
  // A Message-ID has the same token and no prefix. It is no address, and spammers harvest it as one.
  const token = /^b\+/i.test(address) ? findDeliveryToken(address) : undefined;
  return token === undefined ? undefined : readToken(keys, token);
}
