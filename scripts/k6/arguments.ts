/** The command line of `npm run k6`. Pure. */
import { parseArgs } from 'node:util';

/** What to set for each, beside what is asked for. */
export const scenarios: Readonly<Record<string, { readonly file: string; readonly env?: Environment }>> = {
  smoke: { file: 'smoke.ts' },
  'bulk-import': { file: 'bulk-import.ts' },
  'schedule-storm': { file: 'schedule-storm.ts' },
  'black-friday': { file: 'black-friday.ts' },
  'step-10x': { file: 'step.ts', env: { LOAD_FACTOR: '10' } },
  'step-30x': { file: 'step.ts', env: { LOAD_FACTOR: '30' } },
  soak: { file: 'soak.ts' },
};

type Environment = Readonly<Record<string, string>>;

export interface K6Arguments {
  readonly scenario: string;
  /** Undefined: a fleet of one's own on this machine. */
  readonly installation: Installation | undefined;
  /** What the scenario is told. */
  readonly env: Environment;
  /** Workers of each pool of one's own fleet. */
  readonly min: string;
  readonly max: string;
  /** Whether the result goes to load-tests/results. */
  readonly isKept: boolean;
}

export interface Installation {
  readonly url: string;
  readonly adminToken: string;
  readonly smtpHost: string;
  readonly smtpPort: string;
}

export const usage = `usage: npm run k6 -- SCENARIO [options]

  SCENARIO          ${Object.keys(scenarios).join(', ')}
  --tenants N       how many tenants
  --messages N      messages of the run; with step and soak of one campaign, with bulk-import rows of one file
  --minutes N       how long it lasts: the compressed day, each part of a step, the soak
  --rate N          campaigns a second before a step, and of a soak
  --min N, --max N  workers of each pool of the local fleet (1, 2)
  --slack N         times so long latencies are fine: for a machine that does other things, too (1)
  --no-keep         print the result, don't keep it in load-tests/results

Without --url it starts MySQL, Redis, a fleet and an SMTP sink on this machine, and takes all of it away at the end. Against an installation:

  --url URL         its API
  --admin-token T   or ADMIN_TOKEN; it creates tenants, which stay, and a transport, which goes
  --smtp HOST:PORT  where the mail goes. Recipients' addresses are invented, at real providers: this must be a sink that delivers nothing
  --is-sink         says so of a host that is not this machine

What each asks, and how to read the result: docs/load-testing.md.`;

const options = {
  tenants: { type: 'string' },
  messages: { type: 'string' },
  minutes: { type: 'string' },
  rate: { type: 'string' },
  slack: { type: 'string' },
  min: { type: 'string', default: '1' },
  max: { type: 'string', default: '2' },
  url: { type: 'string' },
  'admin-token': { type: 'string' },
  smtp: { type: 'string' },
  'is-sink': { type: 'boolean', default: false },
  'no-keep': { type: 'boolean', default: false },
} as const;
const sizes = ['tenants', 'messages', 'minutes', 'rate', 'slack'] as const;
const loopback = ['127.0.0.1', 'localhost', '::1'];

/** The arguments, or what is wrong with them. */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): K6Arguments | { readonly error: string } {
  try {
    return read(argv, env);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

type Values = ReturnType<typeof parse>['values'];

function read(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): K6Arguments {
  const { values, positionals } = parse(argv);
  const [name = ''] = positionals;
  const scenario = scenarios[name];
  if (!scenario || positionals.length > 1) throw new Error(`there is no scenario ${positionals.join(' ')}`);
  const asked = sizes.filter((size) => values[size] !== undefined);
  for (const size of asked) if (!(Number(values[size]) > 0)) throw new Error(`--${size} is a number above 0`);
  const told = asked.map((size) => [`LOAD_${size.toUpperCase()}`, values[size] as string]);
  return {
    scenario: name,
    installation: values.url === undefined ? undefined : readInstallation(values, env),
    env: { ...scenario.env, ...Object.fromEntries(told) },
    min: values.min,
    max: values.max,
    isKept: !values['no-keep'],
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: true });
}

/** Nothing is sent to anything that was not named, and nothing to what may deliver it. */
function readInstallation(values: Values, env: Readonly<Record<string, string | undefined>>): Installation {
  const { url = '', smtp, 'is-sink': isSink } = values;
  const adminToken = values['admin-token'] ?? env.ADMIN_TOKEN;
  if (!URL.canParse(url)) throw new Error('--url is no URL');
  if (!adminToken) throw new Error('--url needs --admin-token, or ADMIN_TOKEN');
  const [, host, port] = /^\[?([^[\]]+?)\]?:(\d+)$/.exec(smtp ?? '') ?? [];
  if (!host || !port) throw new Error('--url needs --smtp HOST:PORT: the sink that takes the mail');
  if (!loopback.includes(host) && !isSink)
    throw new Error(`the mail would go to ${host}: --is-sink says that it delivers nothing`);
  return { url, adminToken, smtpHost: host, smtpPort: port };
}
