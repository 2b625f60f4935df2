/** A whole installation of its own for a bench: a database, a Redis prefix, an SMTP target, one process per stage, one tenant. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ApiClient, createApiClient } from '../../scripts/demo/api-client.ts';
import { type Child, createChildren, findFreePort } from '../../scripts/demo/children.ts';
import { cleanRedis } from '../../scripts/demo/clean-redis.ts';
import { createDemoDatabase, type DemoDatabase } from '../../scripts/demo/demo-database.ts';
import { waitUntilReady } from '../../scripts/demo/wait-until-ready.ts';
import { readServers, type Servers } from './servers.ts';
import { startTarget, type Target } from './target.ts';

export interface Installation {
  readonly api: ApiClient;
  readonly tenantId: string;
  readonly secretKey: Buffer;
  readonly database: DemoDatabase;
  readonly redisPrefix: string;
  readonly target: Target;
  readonly transportId: string;
  /** MySQL and Redis, as far as they run on this machine. */
  readonly servers: Servers;
  /** The processes of the pipeline; grows with `addSendWorker`. */
  readonly processes: readonly Child[];
  process(name: string): Child;
  addSendWorker(): void;
  /** Another way out: to another sink, or by TLS. */
  createTransport(settings: Readonly<Record<string, unknown>>): Promise<string>;
  /** The same installation, as a neighbour sees it. */
  asAnotherTenant(): Promise<Installation>;
  stop(): Promise<void>;
}

const adminToken = randomBytes(24).toString('base64url');
const secretKey = randomBytes(32);
const logFolder = resolve('.sluice/bench');

export interface InstallationOptions {
  /** More options of Node for the process of that name. */
  readonly nodeOptions?: (name: string) => readonly string[];
}

export async function startInstallation({ nodeOptions }: InstallationOptions = {}): Promise<Installation> {
  mkdirSync(logFolder, { recursive: true });
  const redisPrefix = `bench-${process.pid}`;
  const database = await createDemoDatabase(process.env.DATABASE_URL as string);
  const [apiPort, sinkPort] = [await findFreePort(), await findFreePort()];
  const target = await startTarget(sinkPort);
  const env = environment({ DATABASE_URL: database.url, REDIS_PREFIX: redisPrefix, HTTP_PORT: `${apiPort}` });
  const children = createChildren({ logFolder, env, onDeath: fail, ...(nodeOptions && { nodeOptions }) });
  const processes = [children.start('api', 'src/server.js')];
  const add = (name: string, part: string) => processes.push(children.start(name, `workers/${part}.js`));
  for (const part of ['scheduler', 'dispatcher', 'render', 'send']) add(part, part);
  const baseUrl = `http://127.0.0.1:${apiPort}`;
  await waitUntilReady(baseUrl, new AbortController().signal);
  const installation: Installation = {
    ...(await joinAs(baseUrl, target)),
    ...{ secretKey, database, redisPrefix, target, processes },
    servers: await readServers(database.db, process.env.REDIS_URL as string),
    process: (name) => processes.find((child) => child.name === name) as Child,
    addSendWorker() {
      add(`send-${processes.filter(({ name }) => name.startsWith('send')).length + 1}`, 'send');
    },
    asAnotherTenant: async () => ({ ...installation, ...(await joinAs(baseUrl, target)) }),
    async stop() {
      await children.stop();
      target.stop();
      await cleanRedis(process.env.REDIS_URL as string, redisPrefix);
      await database.drop();
    },
  };
  return installation;
}

type Tenant = Pick<Installation, 'api' | 'tenantId' | 'transportId' | 'createTransport'>;

async function joinAs(baseUrl: string, target: Target): Promise<Tenant> {
  const { api, tenantId } = await createTenant(baseUrl);
  const createTransport = (settings: Readonly<Record<string, unknown>>) => addTransport(api, settings);
  const transportId = await createTransport({ port: target.port, tls: 'none' });
  return { api, tenantId, transportId, createTransport };
}

async function createTenant(baseUrl: string): Promise<Pick<Installation, 'api' | 'tenantId'>> {
  const admin = createApiClient(baseUrl, adminToken);
  const tenant = await admin.post('/v1/tenants', { name: 'Bench' });
  const key = await admin.post(`/v1/tenants/${tenant.id}/api-keys`, { name: 'bench', scopes: ['*'] });
  return { api: createApiClient(baseUrl, key.secret), tenantId: tenant.id };
}

async function addTransport(api: ApiClient, settings: Readonly<Record<string, unknown>>): Promise<string> {
  const transport = await api.post('/v1/transports', {
    name: `Bench ${randomBytes(3).toString('hex')}`,
    settings: { host: '127.0.0.1', ...settings },
    limits: { max_connections: 10, messages_per_connection: 0 },
  });
  return transport.id;
}

function environment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...own,
    SECRET_KEY: secretKey.toString('base64'),
    ADMIN_TOKEN: adminToken,
    HTTP_REQUESTS_PER_SECOND: '100000',
    HEALTH_PORT: '0',
    IMPORT_LIMIT_BYTES: String(2 ** 32),
    ALLOW_PRIVATE_TRANSPORTS: 'true',
    LOG_LEVEL: 'warn',
  };
}

function fail(name: string, code: number | null): void {
  process.stderr.write(`${name} ended with ${code}; see ${logFolder}/${name}.log\n`);
  process.exit(1);
}
