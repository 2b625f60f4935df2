/** Asks the code: wires every process without starting it, so that its registry holds what the running process would show. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Config, configSchema, parseConfig } from '../../src/config.ts';
import { allRoutes } from '../../src/http/api-server.ts';
import { createHealthServer } from '../../src/platform/health.ts';
import type { Metrics } from '../../src/platform/metrics.ts';
import {
  createPlatform,
  type Platform,
  wireDispatcher,
  wireFeedback,
  wireRender,
  wireScheduler,
} from '../../src/wiring.ts';
import { apiRoutes, wireApi } from '../../src/wiring-api.ts';
import { wireSend } from '../../src/wiring-send.ts';
import type { CodeFacts, MetricFact } from './code-facts.ts';

const wires = {
  api: wireApi,
  scheduler: wireScheduler,
  dispatcher: wireDispatcher,
  render: wireRender,
  send: wireSend,
  feedback: wireFeedback,
};

/** Connects to nothing: only the health server listens for a moment, on a free port of loopback. */
export async function readCode(root: string): Promise<CodeFacts> {
  const config = exampleConfig();
  const platforms = Object.entries(wires).map(([name, wire]) => {
    const platform = createPlatform(config, name);
    wire(platform);
    return [name, platform] as const;
  });
  const api = platforms.find(([name]) => name === 'api')![1];
  return {
    variables: readVariables(),
    parseEnvironment,
    programs: readPrograms(root),
    healthPaths: await readHealthPaths(api),
    apiPaths: readApiPaths(api),
    metrics: readMetrics(platforms.map(([name, { metrics }]) => [name, metrics])),
  };
}

const leastEnvironment = {
  DATABASE_URL: 'mysql://u:p@127.0.0.1:1/sluice',
  REDIS_URL: 'redis://127.0.0.1:1',
  SECRET_KEY: Buffer.alloc(32).toString('base64'),
};

function exampleConfig(): Config {
  const result = parseConfig({ ...leastEnvironment, LOG_LEVEL: 'silent', FEEDBACK_SMTP_PORT: '2525' });
  if (result.kind === 'invalid') throw new Error(result.errors.join('; '));
  return result.config;
}

/** Secrets come by reference: what is not given here is taken for right. */
function parseEnvironment(environment: Readonly<Record<string, string>>): readonly string[] {
  const result = parseConfig({ ...leastEnvironment, ...environment });
  return result.kind === 'invalid' ? result.errors : [];
}

function readVariables(): CodeFacts['variables'] {
  const { properties = {} } = z.toJSONSchema(configSchema, { io: 'input' });
  return new Map(
    Object.entries(properties).map(([name, property]) => {
      const { default: fallback } = typeof property === 'object' ? property : {};
      return [name, fallback === undefined ? undefined : String(fallback)];
    }),
  );
}

/** Sources in the folders that the Dockerfile copies and compiles. */
function readPrograms(root: string): ReadonlySet<string> {
  const copied = [...readFileSync(join(root, 'Dockerfile'), 'utf8').matchAll(/^COPY (\w+) \1$/gm)].map(
    (match) => match[1]!,
  );
  const isProgram = (name: string) => name.endsWith('.ts') && !name.endsWith('.test.ts');
  return new Set(
    copied
      .filter((folder) => existsSync(join(root, folder)))
      .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
      .filter(isProgram)
      .map((path) => `dist/${path.replace(/\.ts$/, '.js')}`),
  );
}

async function readHealthPaths({ metrics, log }: Platform): Promise<ReadonlySet<string>> {
  const server = createHealthServer({ port: 0, checks: {}, metrics, log });
  await server.start();
  try {
    const candidates = ['/livez', '/readyz', '/metrics', '/healthz', '/health', '/'];
    const statuses = await Promise.all(
      candidates.map(async (path) => [path, (await fetch(`http://127.0.0.1:${server.port}${path}`)).status]),
    );
    return new Set(statuses.flatMap(([path, status]) => (status === 200 ? [String(path)] : [])));
  } finally {
    await server.stop();
  }
}

function readApiPaths(platform: Platform): ReadonlySet<string> {
  const routes = apiRoutes(platform, () => Promise.reject(new Error('no template is compiled here')));
  return new Set(
    allRoutes({ ...platform, routes, checks: {} })
      .filter(({ method, path }) => method === 'get' && !path.includes('{'))
      .map(({ path }) => path),
  );
}

function readMetrics(registries: readonly (readonly [string, Metrics])[]): ReadonlyMap<string, MetricFact> {
  const found = new Map<string, MetricFact>();
  for (const [process, registry] of registries) {
    for (const metric of registry.getMetricsAsArray()) {
      for (const [name, labels] of seriesOf(metric as unknown as RegisteredMetric)) {
        const processes = [...(found.get(name)?.processes ?? []), process];
        found.set(name, { labels: [...labels, 'process'], processes });
      }
    }
  }
  return found;
}

/** prom-client keeps the label names on the metric and leaves them out of its types. */
interface RegisteredMetric {
  readonly name: string;
  readonly type?: string;
  readonly labelNames?: readonly string[];
  readonly constructor: { readonly name: string };
}

function seriesOf(metric: RegisteredMetric): readonly (readonly [string, readonly string[]])[] {
  const { name, labelNames = [] } = metric;
  switch (metric.constructor.name) {
    case 'Histogram':
      return [
        [`${name}_bucket`, [...labelNames, 'le']],
        [`${name}_sum`, labelNames],
        [`${name}_count`, labelNames],
      ];
    case 'Summary':
      return [
        [name, [...labelNames, 'quantile']],
        [`${name}_sum`, labelNames],
        [`${name}_count`, labelNames],
      ];
    default:
      return [[name, labelNames]];
  }
}
