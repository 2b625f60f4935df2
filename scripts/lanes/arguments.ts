/** The command line of `npm run lanes`. */
import { parseArgs } from 'node:util';

export interface LanesArguments {
  readonly url: URL;
  readonly key: string;
  readonly isWatching: boolean;
  readonly shows: 'destinations' | 'lanes';
  /** The key is the installation's admin token. */
  readonly isAdmin: boolean;
}

export const usage = `usage: npm run lanes -- --url http://localhost:8080 --key KEY [--lanes] [--watch] [--admin]

  --url URL    where the API is (or SLUICE_URL)
  --key KEY    an API key with the scope transports:read (or SLUICE_KEY, which no list of processes shows)
  --lanes      lanes instead of destinations: what waits by class
  --watch      again every 2 s, in place, until Ctrl-C
  --admin      all tenants' destinations together; KEY is the admin token`;

/** The arguments, or what is wrong with them. */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LanesArguments | { readonly error: string } {
  try {
    return check(parse(argv), env);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function parse(argv: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    url: { type: 'string' },
    key: { type: 'string' },
    lanes: flag,
    watch: flag,
    admin: flag,
  } as const;
  return parseArgs({ args: [...argv], options }).values;
}

function check(
  { url = '', key = '', lanes, watch, admin }: ReturnType<typeof parse>,
  env: Readonly<Record<string, string | undefined>>,
): LanesArguments | { readonly error: string } {
  const address = url || env.SLUICE_URL || '';
  const bearer = key || env.SLUICE_KEY || '';
  if (!address) return { error: '--url is missing' };
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    return { error: `--url ${address} is not the address of an API, such as http://localhost:8080` };
  if (!bearer) return { error: '--key is missing' };
  if (lanes && admin) return { error: '--lanes are a tenant’s: --admin shows destinations only' };
  const shows = lanes ? 'lanes' : 'destinations';
  return { url: new URL(address), key: bearer, isWatching: watch, shows, isAdmin: admin };
}
