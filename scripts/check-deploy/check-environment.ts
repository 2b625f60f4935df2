/** Every variable is one that the code reads, with a value it takes; secrets are there by reference only. */
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import {
  containersOf,
  type Manifest,
  nameOf,
  ofKind,
  type PlacedContainer,
  type Source,
} from './manifest.ts';

/** Of these no value may stand in a manifest. */
const secrets = ['DATABASE_URL', 'REDIS_URL', 'SECRET_KEY', 'ADMIN_TOKEN'];

export function checkEnvironment(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return [
    ...ofKind(sources, 'Secret').map(secretFinding),
    ...configMaps(sources).flatMap((source) => checkConfigMap(source, facts)),
    ...containersOf(sources).flatMap((placed) => checkContainer(placed, facts)),
  ];
}

function secretFinding({ from, manifest }: Source): Finding {
  return { from, what: `${nameOf(manifest)}: secrets are not kept in manifests` };
}

/** Others hold files, such as dashboards. */
function configMaps(sources: readonly Source[]): readonly Source[] {
  return ofKind(sources, 'ConfigMap').filter(({ manifest }) =>
    manifest.metadata?.name?.startsWith('sluice-config'),
  );
}

function checkConfigMap({ from, manifest }: Source, facts: CodeFacts): readonly Finding[] {
  const where = nameOf(manifest);
  return checkValues({ from, where, values: manifest.data ?? {} }, facts);
}

function checkContainer(placed: PlacedContainer, facts: CodeFacts): readonly Finding[] {
  const { from, name: where, container } = placed;
  const env = container.env ?? [];
  const plain = env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
  const referred = env.filter(({ value }) => value === undefined);
  return [
    ...checkValues({ from, where, values: Object.fromEntries(plain) }, facts),
    ...referred.flatMap(({ name, valueFrom }) => {
      const { key } = valueFrom?.secretKeyRef ?? {};
      if (!isRead(name, facts)) return [unknown(from, where, name)];
      return key === name ? [] : [{ from, what: `${where}: ${name} is read from key ${key} of a Secret` }];
    }),
  ];
}

interface Values {
  readonly from: string;
  readonly where: string;
  readonly values: Readonly<Record<string, string>>;
}

function checkValues({ from, where, values }: Values, facts: CodeFacts): readonly Finding[] {
  const names = Object.keys(values);
  return [
    ...names.filter((name) => !isRead(name, facts)).map((name) => unknown(from, where, name)),
    ...names
      .filter((name) => secrets.includes(name))
      .map((name) => ({ from, what: `${where}: ${name} is a secret and stands there in plain` })),
    ...facts.parseEnvironment(values).map((error) => ({ from, what: `${where}: ${error}` })),
  ];
}

/** By Sluice, by Node, or by the OpenTelemetry SDK that NODE_OPTIONS brings (deploy/tracing). */
function isRead(name: string, facts: CodeFacts): boolean {
  return facts.variables.has(name) || name === 'NODE_OPTIONS' || name.startsWith('OTEL_');
}

function unknown(from: string, where: string, name: string): Finding {
  return { from, what: `${where}: no process reads ${name}` };
}

/** The environment that a rendered container sees, defaults included; secrets are left out. */
export function environmentOf(
  { container }: PlacedContainer,
  { sources, facts }: { readonly sources: readonly Source[]; readonly facts: CodeFacts },
): ReadonlyMap<string, string> {
  const defaults = [...facts.variables].flatMap(([name, value]) =>
    value === undefined ? [] : ([[name, value]] as const),
  );
  const shared = configMaps(sources).flatMap(({ manifest }) => dataOf(manifest));
  const own = (container.env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : ([[name, value]] as const),
  );
  return new Map([...defaults, ...shared, ...own]);
}

function dataOf({ data = {} }: Manifest): readonly (readonly [string, string])[] {
  return Object.entries(data);
}
