/** Signs test messages like those of the campaign, so that a test shows whether mailboxes trust them. */
import { addSignature } from '../dkim/add-signature.ts';
import type { TenantId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Sql } from '../platform/mysql.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { readKeysNow } from '../sending-domains/signing-keys.ts';
import type { OutboundMessage } from '../transports/contract.ts';

export interface SendingPlace {
  readonly tenantId: TenantId;
  /** Of From. */
  readonly domain: string;
}

/** The same messages, signed where the domain has a key. Throws `unavailable` when that can't be used: none goes unsigned. */
export type SignTest = (
  place: SendingPlace,
  messages: readonly OutboundMessage[],
) => Promise<readonly OutboundMessage[]>;

export interface TestSignerOptions {
  readonly db: Sql;
  readonly secretsKey: Buffer;
  readonly clock: Clock;
}

export function createTestSigner({ db, secretsKey, clock }: TestSignerOptions): SignTest {
  const secretBox = createSecretBox(secretsKey);
  return async (place, messages) => {
    const keys = await readKeysNow(db, secretBox, place);
    const terms = { keys, atMs: clock.now() };
    return Promise.all(
      messages.map(async ({ compiled, rendered }) => ({
        compiled,
        rendered: await addSignature(compiled, rendered, terms),
      })),
    );
  };
}
