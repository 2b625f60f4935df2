/**
 * Configuration: the only reader of the environment. All mistakes are reported at once, then the process exits.
 * README's table is generated from `configSchema` (`npm run check` compares them).
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseClusterUrl } from './platform/redis-address.ts';
import { mostShards, parseShardList } from './queues/shard-list.ts';

const integer = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');

const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => protocols.includes(protocolOf(text)),
      `must be a URL starting with ${protocols.join(' or ')}//`,
    );

function protocolOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : '';
}

function isResolver(text: string): boolean {
  const server = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text);
  if (!server) return text === 'off' || text === 'system';
  return isIP(server[1] ?? server[2] ?? '') !== 0 && Number(server[3]) <= 65_535;
}

const secretKey = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 random bytes in base64 (openssl rand -base64 32)');

export const configSchema = z.object({
  DATABASE_URL: url('mysql:', 'mariadb:').describe(
    'MySQL 8 or MariaDB 10.6+, the truth: mysql://user:password@host:3306/sluice',
  ),
  REDIS_URL: z
    .string()
    .refine(
      (text) => ['redis:', 'rediss:'].includes(protocolOf(text)) || parseClusterUrl(text) !== undefined,
      'must be a URL starting with redis://, rediss://, redis+cluster:// or rediss+cluster://',
    )
    .describe(
      'Redis 6.2+ with `maxmemory-policy noeviction`: redis://[:password@]host:6379/0. A Redis Cluster by some of its nodes: redis+cluster://[:password@]host:6379,host2:6379',
    ),
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default('sluice')
    .describe('First word of every Redis key; installations that share a Redis need different ones'),
  SECRET_KEY: secretKey.describe(
    '32 bytes in base64: encrypts secrets of transports and signing keys, and keys the HMACs of addresses and links. Losing it loses both',
  ),
  ADMIN_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('Bearer token that creates tenants and their first API keys; without it those calls are off'),
  PUBLIC_URL: url('http:', 'https:')
    .default('http://localhost:8080')
    .transform((text) => text.replace(/\/+$/, ''))
    .describe('Where recipients reach this API: unsubscribe links begin with it'),
  HTTP_PORT: integer(8080, 0, 65535).describe('Port of the REST API (0: any free one)'),
  HEALTH_PORT: integer(9090, 0, 65535).describe(
    'Port of /livez, /readyz and /metrics of every process (0: any free one)',
  ),
  HTTP_BODY_LIMIT_BYTES: integer(1_048_576, 1024, 67_108_864).describe(
    'Largest JSON body of the API, in bytes',
  ),
  HTTP_REQUESTS_PER_SECOND: integer(200, 1, 100_000).describe(
    'API requests per second and API key before 429',
  ),
  IMPORT_LIMIT_BYTES: integer(1_073_741_824, 1024, 17_179_869_184).describe('Largest import file, in bytes'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe level that is logged'),
  DATABASE_CONNECTIONS: integer(6, 2, 64).describe('MySQL connections per process'),
  DATABASE_FLEET_CONNECTIONS: integer(120, 4, 10_000).describe(
    'Statements under way for all processes together; each takes an equal share, at least 2',
  ),
  STOP_TIMEOUT_MS: integer(25_000, 1_000, 300_000).describe(
    'How long a process may take to finish what is on the wire after SIGTERM, in ms',
  ),
  ALLOW_PRIVATE_TRANSPORTS: flag(false).describe(
    'Let transports connect to loopback and private addresses (true for relays inside your network)',
  ),
  DNS_RESOLVER: z
    .string()
    .refine(isResolver, 'must be off, system, or an address and port as 192.0.2.53:53 or [2001:db8::53]:53')
    .default('off')
    .describe(
      'Roll companies’ own domains up by their MX hosts: `off` (the table of providers’ domains alone), `system`, or a DNS server as `192.0.2.53:53`',
    ),
  DISPATCH_WINDOW_MESSAGES: integer(6_000, 100, 100_000).describe(
    'Most messages of one destination that are dispatched and not yet settled',
  ),
  DISPATCH_TOTAL_MESSAGES: integer(30_000, 500, 1_000_000).describe(
    'Most messages of all destinations that are dispatched and not yet settled',
  ),
  QUEUE_SHARDS: integer(1, 1, mostShards).describe(
    'Parts of the belt, each in a slot of its own of a Redis Cluster: a few times its masters (docs/scale.md). The same in all processes',
  ),
  QUEUE_SHARDS_READ: z
    .string()
    .default('all')
    .transform(parseShardList)
    .refine((shards) => shards !== undefined, 'must be all, or numbers below 27 such as 0-3 or 0,2,5-8')
    .describe(
      'Which of them a render or send worker takes jobs from: `all`, or numbers such as `0-7`. More than QUEUE_SHARDS before it is raised; a part of them where fleets are large',
    ),
  RENDER_CONCURRENCY: integer(4, 1, 64).describe('Jobs a render worker works on at once'),
  SEND_CONCURRENCY: integer(16, 1, 256).describe('Jobs a send worker claims at once'),
  SEND_HELD_MESSAGES: integer(20_000, 1_000, 1_000_000).describe(
    'Messages of campaigns a send worker holds at once, claimed and not settled; one destination gets at most half. At least twice DISPATCH_WINDOW_MESSAGES over the number of workers',
  ),
  SCALE_TARGET_DRAIN_SECONDS: integer(300, 1, 86_400).describe(
    'Enough workers are asked for to send what may go now within this many seconds (docs/scale.md)',
  ),
  SCALE_AHEAD_SECONDS: integer(600, 0, 86_400).describe(
    'Workers are ready this many seconds before the scheduled campaigns that need them',
  ),
  SCALE_IDLE_SECONDS: integer(600, 0, 86_400).describe(
    'After this many idle seconds a pool whose minimum is 0 gives up its last worker',
  ),
  SCALE_DOWN_AFTER_SECONDS: integer(120, 1, 86_400).describe(
    'A pool shrinks once fewer workers would have sufficed for this many seconds',
  ),
  SCALE_EVERY_MS: integer(5_000, 500, 30_000).describe('How often the pools’ sizes are decided, in ms'),
  SCALE_STATEMENTS_PER_WORKER: integer(4, 2, 64).describe(
    'What each worker needs of DATABASE_FLEET_CONNECTIONS: no more workers are asked for than get that much',
  ),
  SCALE_RENDER_MIN: integer(1, 0, 10_000).describe('Fewest render workers to ask for; 0: none when idle'),
  SCALE_RENDER_MAX: integer(100, 1, 10_000).describe('Most render workers to ask for'),
  SCALE_RENDER_RATE: integer(4_000, 1, 1_000_000).describe(
    'Assumed messages per second of one render worker, until measured',
  ),
  SCALE_SEND_MIN: integer(1, 0, 10_000).describe('Fewest send workers to ask for; 0: none when idle'),
  SCALE_SEND_MAX: integer(100, 1, 10_000).describe('Most send workers to ask for'),
  SCALE_SEND_RATE: integer(2_000, 1, 1_000_000).describe(
    'Assumed messages per second of one send worker, until measured',
  ),
  RETRY_FIRST_DELAY_MS: integer(120_000, 100, 86_400_000).describe(
    'Wait after a deferred first attempt, in ms; doubles with each further one, up to four hours',
  ),
  RETRY_STEP_MS: integer(30_000, 50, 3_600_000).describe(
    'Retries are rounded up to this, in ms, so that those of a chunk go together',
  ),
  LEASE_MS: integer(30_000, 2_000, 120_000).describe(
    'How long a chunk is held without a sign of life from its worker, in ms; the same in all processes. Below 15 s a slow database costs doubts',
  ),
  IN_DOUBT_SETTLE_AFTER_MS: integer(300_000, 1_000, 86_400_000).describe(
    'How long a delivery stays in doubt before its campaign policy settles it, in ms; at least two leases and the longest transport time-out',
  ),
  RETENTION_WEEKS: integer(53, 0, 1_000).describe(
    'How long deliveries are kept after their campaign is over, in weeks (0: for ever). Campaigns and their totals stay',
  ),
  FEEDBACK_SMTP_PORT: integer(0, 0, 65535).describe(
    'Port on which the feedback worker takes bounces and complaints by SMTP (0: off)',
  ),
  FEEDBACK_SMTP_HOST: z
    .string()
    .min(1)
    .default('0.0.0.0')
    .describe(
      'Address on which it takes them; `::` for IPv6 as well, 127.0.0.1 behind an MTA on the same machine',
    ),
});

export type Config = z.output<typeof configSchema>;

export type ConfigResult =
  | { readonly kind: 'valid'; readonly config: Config }
  | { readonly kind: 'invalid'; readonly errors: readonly string[] };

export function parseConfig(environment: NodeJS.ProcessEnv): ConfigResult {
  const known = Object.keys(configSchema.shape);
  const given = Object.fromEntries(
    known.filter((key) => environment[key]).map((key) => [key, environment[key]]),
  );
  const result = configSchema.safeParse(given);
  if (result.success) return { kind: 'valid', config: result.data };
  return {
    kind: 'invalid',
    errors: result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  };
}

/** Reads the process's environment; prints every mistake and exits with 78 (EX_CONFIG of sysexits.h) when there are any. */
export function loadConfig(): Config {
  const result = parseConfig(process.env);
  if (result.kind === 'valid') return result.config;
  process.stderr.write(
    `Sluice can't start, the configuration has mistakes:\n${result.errors.map((e) => `  ${e}\n`).join('')}`,
  );
  process.exit(78);
}
