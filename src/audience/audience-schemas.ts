/** How audience things look in replies. */
import { z } from 'zod';
import { problemSchema } from '../http/problem-schema.ts';
import { idOut, timestamp } from '../http/schemas.ts';
import { formatId } from '../ids.ts';
import { importFormats, importStates } from './import-state.ts';
import type { Import } from './import-store.ts';
import type { ListMember } from './list-members.ts';
import type { List } from './list-store.ts';
import type { Profile } from './profile.ts';
import { consentStatuses } from './profile-input.ts';
import { listOfScope, type Suppression, suppressionReasons } from './suppression-store.ts';

export const profileOut = z.object({
  id: idOut('profile'),
  email: z.string(),
  phone: z.string().nullable(),
  time_zone: z.string().nullable(),
  consent: z
    .object({ status: z.enum(consentStatuses), source: z.string(), at: z.string() })
    .nullable()
    .meta({ description: 'What the person agreed to, and the proof of it' }),
  attributes: z.record(z.string(), z.unknown()),
  created_at: timestamp,
  updated_at: timestamp,
});

export function showProfile(profile: Profile) {
  return {
    id: formatId('profile', profile.id),
    email: profile.email,
    phone: profile.phone,
    time_zone: profile.timeZone,
    consent: profile.consent,
    attributes: profile.attributes,
    created_at: profile.createdAt,
    updated_at: profile.updatedAt,
  };
}

export const listOut = z.object({
  id: idOut('list'),
  name: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
});

export function showList(list: List) {
  return {
    id: formatId('list', list.id),
    name: list.name,
    created_at: list.createdAt,
    updated_at: list.updatedAt,
  };
}

export const memberOut = z.object({ profile_id: idOut('profile'), email: z.string(), added_at: timestamp });

export function showMember({ profileId, email, addedAt }: ListMember) {
  return { profile_id: formatId('profile', profileId), email, added_at: addedAt };
}

export const suppressionOut = z.object({
  email: z.string().nullable().meta({ description: 'Null when no profile has the address any more' }),
  scope: z.string().meta({ description: '`*` for every message, or the id of a list' }),
  reason: z.enum(suppressionReasons),
  source: z.string(),
  at: timestamp,
});

export function showSuppression({ email, scope, reason, source, at }: Suppression) {
  const list = listOfScope(scope);
  return { email, scope: list === '*' ? list : formatId('list', list), reason, source, at };
}

export const importOut = z.object({
  id: idOut('import'),
  state: z.enum(importStates),
  format: z.enum(importFormats),
  list_id: idOut('list').nullable(),
  received_bytes: z.number().int(),
  rows: z.number().int().meta({ description: 'Rows read so far: accepted and rejected' }),
  accepted: z.number().int(),
  rejected: z.number().int(),
  failure: z.string().nullable().meta({ description: 'Why the import as a whole failed' }),
  created_at: timestamp,
  finished_at: timestamp.nullable(),
});

export function showImport(item: Import) {
  return {
    id: formatId('import', item.id),
    state: item.state,
    format: item.format,
    list_id: item.listId === null ? null : formatId('list', item.listId),
    received_bytes: item.receivedBytes,
    rows: item.rows,
    accepted: item.accepted,
    rejected: item.rejected,
    failure: item.failure,
    created_at: item.createdAt,
    finished_at: item.finishedAt,
  };
}

export const fieldErrorOut = z.object({ pointer: z.string(), detail: z.string() });

/** A 409 that the handler throws, for the documentation. */
export function conflictOut(description: string) {
  return { description, schema: problemSchema, contentType: 'application/problem+json' };
}
