/** Every migration, in order. Listed by hand, so that the same code runs from TypeScript and from dist. */
import type { Knex } from 'knex';
import * as foundation from './0001-foundation.ts';
import * as pacing from './0002-pacing.ts';
import * as sendingDomains from './0003-sending-domains.ts';
import * as traces from './0004-traces.ts';
import * as rowsInPlace from './0005-rows-in-place.ts';

export const migrations: readonly { readonly name: string; readonly migration: Knex.Migration }[] = [
  { name: '0001-foundation', migration: foundation },
  { name: '0002-pacing', migration: pacing },
  { name: '0003-sending-domains', migration: sendingDomains },
  { name: '0004-traces', migration: traces },
  { name: '0005-rows-in-place', migration: rowsInPlace },
];
