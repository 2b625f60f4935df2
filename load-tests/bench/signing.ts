/** What DKIM signatures cost the whole pipeline: the same campaign from a domain without a key, and from domains with one. */
import { makeDkimKey } from '../../src/dkim/dkim-key.ts';
import type { DkimAlgorithm } from '../../src/dkim/sign-message.ts';
import { newId, parseId } from '../../src/ids.ts';
import { deriveKeys } from '../../src/keys.ts';
import { createSecretBox } from '../../src/platform/secret-box.ts';
import { sealDkimKey } from '../../src/sending-domains/sealed-key.ts';
import {
  activateSendingDomain,
  insertSendingDomain,
} from '../../src/sending-domains/sending-domain-store.ts';
import type { BenchContext } from './context.ts';
import type { Installation } from './installation.ts';
import { takeTurns, type WayCosts } from './turns.ts';

export async function measureSigning(context: BenchContext): Promise<WayCosts> {
  return takeTurns(context, {
    unsigned: {},
    'RSA-2048': { fromEmail: await senderWith(context.installation, 'rsa-sha256') },
    Ed25519: { fromEmail: await senderWith(context.installation, 'ed25519-sha256') },
  });
}

/** Past the API, which would look for the record in the DNS. */
async function senderWith(installation: Installation, algorithm: DkimAlgorithm): Promise<string> {
  const { db } = installation.database;
  const { privateKey, publicKey } = await makeDkimKey(algorithm);
  const tenantId = parseId('tenant', installation.tenantId);
  if (tenantId === undefined) throw new Error(`no tenant: ${installation.tenantId}`);
  const domain = `${algorithm}.example`;
  const place = { tenantId, id: newId('sendingDomain'), domain, selector: 'bench' };
  const box = createSecretBox(deriveKeys(installation.secretKey).secrets);
  const sealed = sealDkimKey(box, place, privateKey);
  await insertSendingDomain(db, { ...place, algorithm, publicKey, privateKey: sealed });
  await activateSendingDomain(db, place);
  return `shop@${domain}`;
}
