/** Is a key's record in the DNS? Bounded in time, whatever the name servers do. */
import { Resolver } from 'node:dns/promises';
import { dkimRecord } from '../dkim/dkim-key.ts';
import type { SendingDomain } from './sending-domain-store.ts';

/** The TXT records under a name, each as its strings. Rejects with the codes of node:dns. */
export type ResolveTxt = (name: string) => Promise<readonly (readonly string[])[]>;

type CheckedKey = Pick<SendingDomain, 'domain' | 'selector' | 'algorithm' | 'publicKey'>;

export interface RecordCheck {
  readonly ok: boolean;
  readonly result: 'published' | 'absent' | 'different' | 'several' | 'unreachable';
  readonly expected: string;
  readonly found: readonly string[];
}

export async function checkRecord(resolve: ResolveTxt, key: CheckedKey): Promise<RecordCheck> {
  const { name, value: expected } = dkimRecord(key);
  const found = await lookUp(resolve, name);
  if (found === 'unreachable') return { ok: false, result: found, expected, found: [] };
  const result = judge(found, expected);
  return { ok: result === 'published', result, expected, found: found.slice(0, shownRecords).map(shorten) };
}

/** `system`, or the server at `host:port`. A resolver for each look-up, as `cancel` ends all of one. */
export function txtResolverOf(server: string): ResolveTxt {
  return async (name) => {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    if (server !== 'system') resolver.setServers([server]);
    const timer = setTimeout(() => resolver.cancel(), lookUpMs);
    try {
      return await resolver.resolveTxt(name);
    } finally {
      clearTimeout(timer);
    }
  };
}

const lookUpMs = 5_000;
const shownRecords = 5;
const shownCharacters = 1_000;
const isNotThere = new Set(['ENOTFOUND', 'ENODATA']);

async function lookUp(resolve: ResolveTxt, name: string): Promise<readonly string[] | 'unreachable'> {
  try {
    return (await resolve(name)).map((strings) => strings.join(''));
  } catch (error) {
    return isNotThere.has((error as { code?: string }).code ?? '') ? [] : 'unreachable';
  }
}

/** RFC 6376, 3.6.2.2: what comes of more than one record is anybody's guess. */
function judge(found: readonly string[], expected: string): RecordCheck['result'] {
  const [first, ...others] = found;
  if (first === undefined) return 'absent';
  if (others.length > 0) return 'several';
  return isSameKey(readTags(first), readTags(expected)) ? 'published' : 'different';
}

/** RFC 6376, 3.6.1: the version may be left out, the key type too when it is rsa, and a record may hold more than we ask for. */
function isSameKey(found: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): boolean {
  const { v = 'DKIM1', k = 'rsa', h = 'sha256', s = '*', p } = Object.fromEntries(found);
  const isForMail = s.split(':').some((service) => service === '*' || service === 'email');
  const isForSha256 = h.split(':').includes('sha256');
  return v === 'DKIM1' && isForMail && isForSha256 && k === expected.get('k') && p === expected.get('p');
}

function readTags(record: string): ReadonlyMap<string, string> {
  const tags = record.split(';').map((tag) => tag.split(/=(.*)/s) as [string, string?]);
  return new Map(tags.map(([name, value = '']) => [name.trim(), value.replace(/\s+/g, '')]));
}

/** Of somebody else's making: cut, and free of what is not text. */
function shorten(record: string): string {
  return record.replace(/[^\x20-\x7e]/g, '?').slice(0, shownCharacters);
}
