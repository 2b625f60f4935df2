/** What the tenant's and the platform's routes do alike: create, change, remove, verify. */
import type { IncomingHttpHeaders } from 'node:http';
import { AppError, type FieldError } from '../errors.ts';
import { assertIfMatch } from '../http/etag.ts';
import { newId, type TransportId } from '../ids.ts';
import type { Database } from '../platform/mysql.ts';
import { insertWithNewId } from '../platform/new-row.ts';
import { createSecretBox, type SecretBox } from '../platform/secret-box.ts';
import type { HostPolicy } from '../transports/host-policy.ts';
import type { SmtpSecret, SmtpSettings } from '../transports/smtp-settings.ts';
import type { NewTransport, TransportPatch } from './transport-schemas.ts';
import { sealTransportSecret } from './transport-secrets.ts';
import {
  deleteTransport,
  findOwnTransport,
  insertTransport,
  type StoredTransport,
  type TransportOwner,
  updateTransport,
} from './transport-store.ts';

export interface TransportRoutesOptions {
  readonly db: Database;
  /** `deriveKeys(...).secrets`: encrypts passwords. */
  readonly secretsKey: Buffer;
  readonly hostPolicy: HostPolicy;
}

/** The same, ready to use. */
export interface TransportParts {
  readonly db: Database;
  readonly secretBox: SecretBox;
  readonly hostPolicy: HostPolicy;
}

export function toParts({ db, secretsKey, hostPolicy }: TransportRoutesOptions): TransportParts {
  return { db, secretBox: createSecretBox(secretsKey), hostPolicy };
}

export interface OwnTransport {
  readonly owner: TransportOwner;
  readonly id: TransportId;
}

export async function createTransport(
  { db, secretBox }: TransportParts,
  owner: TransportOwner,
  { name, settings, limits, secret, destination_mode: destinationMode }: NewTransport,
): Promise<StoredTransport> {
  assertConsistent(settings, secret !== undefined);
  const id = await insertWithNewId(
    () => newId('transport'),
    (candidate) => {
      const place = { owner, id: candidate };
      const sealed = secret ? sealTransportSecret(secretBox, place, secret) : null;
      return insertTransport(db, place, { name, settings, limits, secret: sealed, destinationMode });
    },
  );
  return getOwnTransport(db, { owner, id });
}

/** Takes effect within two seconds: send workers look at the version each second. */
export async function changeTransport(
  { db, secretBox }: TransportParts,
  own: OwnTransport,
  { body, headers }: { readonly body: TransportPatch; readonly headers: IncomingHttpHeaders },
): Promise<StoredTransport> {
  const seen = await getOwnTransport(db, own);
  assertIfMatch(headers, seen.version);
  const settings = body.settings ?? seen.settings;
  if (body.secret === undefined && seen.secret) assertSameServer(seen.settings, settings);
  const secret = body.secret === undefined ? seen.secret : sealGiven(secretBox, own, body.secret);
  assertConsistent(settings, secret !== null);
  const isUpdated = await updateTransport(db, seen, {
    name: body.name ?? seen.name,
    settings,
    limits: body.limits ?? seen.limits,
    secret,
    destinationMode: body.destination_mode ?? seen.destinationMode,
  });
  if (!isUpdated) throw new AppError('precondition_failed', { detail: 'It was changed at the same moment' });
  return getOwnTransport(db, own);
}

export async function removeTransport(db: Database, { owner, id }: OwnTransport): Promise<void> {
  const result = await db.transaction((tx) => deleteTransport(tx, owner, id));
  if (result === 'absent') throw noSuchTransport();
  if (result === 'in_use')
    throw new AppError('conflict', { detail: 'A campaign that is scheduled or running uses this transport' });
}

export async function getOwnTransport(db: Database, { owner, id }: OwnTransport): Promise<StoredTransport> {
  const transport = await findOwnTransport(db, owner, id);
  if (!transport) throw noSuchTransport();
  return transport;
}

export function noSuchTransport(): AppError {
  return new AppError('not_found', { detail: 'There is no such transport' });
}

function sealGiven(box: SecretBox, own: OwnTransport, secret: SmtpSecret | null): Buffer | null {
  return secret && sealTransportSecret(box, own, secret);
}

function assertConsistent({ auth }: SmtpSettings, hasSecret: boolean): void {
  if (auth && !hasSecret) throw invalid('/secret', 'is needed, as settings.auth asks to log in');
  if (!auth && hasSecret) throw invalid('/secret', 'is of no use without settings.auth');
}

/**
 * A password that can't be read must not be had by pointing the transport at a server of one's own, or by taking the encryption
 * off: whoever changes where it goes has to know it.
 */
function assertSameServer(before: SmtpSettings, after: SmtpSettings): void {
  if (!after.auth) return;
  const guarded = ['host', 'port', 'tls', 'tlsVerify'] as const;
  if (guarded.every((name) => before[name] === after[name])) return;
  throw invalid('/secret', 'has to be given again when host, port, tls or tls_verify change');
}

function invalid(pointer: string, detail: string): AppError {
  const errors: FieldError[] = [{ pointer, detail }];
  return new AppError('invalid_request', { errors });
}
