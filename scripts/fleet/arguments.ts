/** The command line of `npm run fleet`. */
import { parseArgs } from 'node:util';

export interface FleetArguments {
  /** Workers of each pool. */
  readonly min: number;
  readonly max: number;
}

export const usage = `usage: npm run fleet -- [--min 1] [--max 4]

  --min N   fewest render and fewest send workers; 0: none while there is nothing to do
  --max N   most of each

  DATABASE_URL and REDIS_URL (its own MySQL and Redis without them), SECRET_KEY, ADMIN_TOKEN, HTTP_PORT and all other
  settings are taken from the environment. A database of yours needs a SECRET_KEY that you keep.`;

const most = 64;

/** The arguments, or what is wrong with them. */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): FleetArguments | { readonly error: string } {
  for (const name of ['DATABASE_URL', 'REDIS_URL'])
    if (!env[name]) return { error: `${name} is not set; run this by \`npm run fleet\`` };
  // A database is bound to the first key it meets: one that nobody keeps would lock it for good.
  if (!env.SECRET_KEY && !env.SLUICE_TEMPORARY_DATABASE)
    return { error: 'SECRET_KEY is not set; a database of yours needs one that you keep' };
  try {
    const { min, max } = parse(argv);
    if (!isCount(min) || !isCount(max) || max === '0' || Number(min) > Number(max))
      return { error: `--min and --max are numbers up to ${most}, and --max is at least 1 and --min` };
    return { min: Number(min), max: Number(max) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function parse(argv: readonly string[]) {
  const options = { min: { type: 'string', default: '1' }, max: { type: 'string', default: '4' } } as const;
  return parseArgs({ args: [...argv], options }).values;
}

function isCount(text: string): boolean {
  return /^\d{1,2}$/.test(text) && Number(text) <= most;
}
