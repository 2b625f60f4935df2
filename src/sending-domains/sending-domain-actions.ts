/** What the routes do: make or take in a key, let it sign, end that, and replace it. */
import { type DkimKeyPair, importDkimKey, makeDkimKey } from '../dkim/dkim-key.ts';
import type { DkimAlgorithm } from '../dkim/sign-message.ts';
import { AppError } from '../errors.ts';
import { formatId, newId, type SendingDomainId, type TenantId } from '../ids.ts';
import { type Database, isDuplicateKey } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';
import type { SecretBox } from '../platform/secret-box.ts';
import { Slots } from '../platform/slots.ts';
import type { ResolveTxt } from './record-check.ts';
import { sealDkimKey } from './sealed-key.ts';
import type { NewSendingDomainBody, Rotation } from './sending-domain-schemas.ts';
import {
  activateSendingDomain,
  type DomainKey,
  deleteSendingDomain,
  findSendingDomain,
  insertSendingDomain,
  mostKeys,
  type SendingDomain,
} from './sending-domain-store.ts';

export interface SendingDomainParts {
  readonly db: Database;
  readonly secretBox: SecretBox;
  readonly resolveTxt: ResolveTxt;
}

export async function createSendingDomain(
  parts: SendingDomainParts,
  tenantId: TenantId,
  body: NewSendingDomainBody,
): Promise<SendingDomain> {
  const pair = await obtainPair(body.private_key, body.algorithm);
  const key = { tenantId, id: await insertKey(parts, tenantId, body, pair) };
  if (body.is_active) await parts.db.transaction((tx) => activateSendingDomain(tx, key));
  return getSendingDomain(parts.db, key);
}

/** A second key, which does not sign yet: the old one goes on until the new one's record is in the DNS and it is activated. */
export async function rotateSendingDomain(
  parts: SendingDomainParts,
  old: DomainKey,
  { selector, private_key: pem }: Rotation,
): Promise<SendingDomain> {
  const { tenantId } = old;
  const { domain, algorithm } = await getSendingDomain(parts.db, old);
  const pair = await obtainPair(pem, algorithm);
  const id = await insertKey(parts, tenantId, { domain, selector }, pair);
  return getSendingDomain(parts.db, { tenantId, id });
}

export async function removeSendingDomain(db: Database, key: DomainKey): Promise<void> {
  await getSendingDomain(db, key);
  if (await deleteSendingDomain(db, key)) return;
  throw new AppError('conflict', {
    detail: 'This key signs: deactivate it first, or activate the one that replaces it',
  });
}

export async function getSendingDomain(db: Database, key: DomainKey): Promise<SendingDomain> {
  const row = await findSendingDomain(db, key);
  if (row) return row;
  throw new AppError('not_found', { detail: 'There is no such sending domain' });
}

/** An RSA key costs a tenth of a second of a core; the threads it is made on are also those of name look-ups. */
const making = new Slots(1);

async function obtainPair(
  pem: string | undefined,
  algorithm: DkimAlgorithm | undefined,
): Promise<DkimKeyPair> {
  if (pem !== undefined) return takeIn(pem, algorithm);
  await making.take();
  try {
    return await makeDkimKey(algorithm ?? 'rsa-sha256');
  } finally {
    making.free();
  }
}

function takeIn(pem: string, algorithm: DkimAlgorithm | undefined): DkimKeyPair {
  const imported = importDkimKey(pem);
  if (imported.kind === 'invalid') throw invalid('/private_key', imported.detail);
  const { pair } = imported;
  if (algorithm === undefined || pair.algorithm === algorithm) return pair;
  throw invalid('/private_key', `is a key for ${pair.algorithm}, not for ${algorithm}`);
}

async function insertKey(
  { db, secretBox }: SendingDomainParts,
  tenantId: TenantId,
  { domain, selector }: { readonly domain: string; readonly selector?: string | undefined },
  { algorithm, privateKey, publicKey }: DkimKeyPair,
): Promise<SendingDomainId> {
  let isRoom = true;
  const insert = async (id: SendingDomainId) => {
    const place = { tenantId, id, domain, selector: selector ?? selectorOf(id) };
    const sealed = sealDkimKey(secretBox, place, privateKey);
    isRoom = await insertSendingDomain(db, { ...place, algorithm, publicKey, privateKey: sealed });
  };
  const id = await insertWithNewId(() => newId('sendingDomain'), insert).catch(refuseDuplicate);
  if (!isRoom)
    throw new AppError('conflict', { detail: `There are ${mostKeys} keys already: delete one first` });
  return id;
}

/** As the id is: new, and later ones sort behind earlier ones. */
function selectorOf(id: SendingDomainId): string {
  return `s${formatId('sendingDomain', id).replace(/^.*_/, '')}`;
}

function refuseDuplicate(error: unknown): never {
  if (!isDuplicateKey(error)) throw error;
  throw new AppError('conflict', { detail: 'The domain has a key of that selector already' });
}

function invalid(pointer: string, detail: string): AppError {
  return new AppError('invalid_request', { errors: [{ pointer, detail }] });
}
