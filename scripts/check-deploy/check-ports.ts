/** Named ports are those the configuration says, probes ask what is answered there, and Services point at ports that are there. */
import { environmentOf } from './check-environment.ts';
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import {
  containersOf,
  ofKind,
  type PlacedContainer,
  type Probe,
  type Source,
  workloadsOf,
} from './manifest.ts';

/** What our port names stand for. */
const variableOfPort: Readonly<Record<string, string>> = {
  http: 'HTTP_PORT',
  health: 'HEALTH_PORT',
  smtp: 'FEEDBACK_SMTP_PORT',
};

export function checkPorts(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return containersOf(sources).flatMap((placed) => {
    const environment = environmentOf(placed, { sources, facts });
    return (placed.container.ports ?? []).flatMap(({ name = '', containerPort }) => {
      const variable = variableOfPort[name];
      const where = `${placed.name}: port ${name}`;
      if (!variable) return [{ from: placed.from, what: `${where} is none of ours` }];
      const listened = environment.get(variable);
      if (listened === String(containerPort)) return [];
      return [{ from: placed.from, what: `${where} is ${containerPort}, and ${variable} is ${listened}` }];
    });
  });
}

export function checkProbes(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return containersOf(sources).flatMap((placed) => {
    const { startupProbe, livenessProbe, readinessProbe } = placed.container;
    return [startupProbe, livenessProbe, readinessProbe].flatMap((probe) => checkProbe(placed, probe, facts));
  });
}

function checkProbe(placed: PlacedContainer, probe: Probe | undefined, facts: CodeFacts): readonly Finding[] {
  if (!probe) return [];
  const { path = '', port = '' } = probe.httpGet ?? {};
  const paths = port === 'health' ? facts.healthPaths : port === 'http' ? facts.apiPaths : undefined;
  if (paths?.has(path)) return [];
  return [{ from: placed.from, what: `${placed.name}: nothing answers a probe of ${path} on port ${port}` }];
}

/** In rendered manifests, where patches are merged: probes, Services and monitors name ports that their pods have. */
export function checkPortNames(sources: readonly Source[]): readonly Finding[] {
  return [
    ...containersOf(sources).flatMap(checkProbePorts),
    ...ofKind(sources, 'Service').flatMap((source) => checkService(source, sources)),
  ];
}

function checkProbePorts({ from, name, container }: PlacedContainer): readonly Finding[] {
  const names = (container.ports ?? []).map((port) => port.name);
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  return probes.flatMap((probe) => {
    const port = probe?.httpGet?.port;
    return port === undefined || names.includes(String(port))
      ? []
      : [{ from, what: `${name}: a probe asks port ${port}, which the container lacks` }];
  });
}

interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly targetPort?: string | number }[];
}

function checkService({ from, manifest }: Source, sources: readonly Source[]): readonly Finding[] {
  const { selector = {}, ports = [] } = (manifest.spec ?? {}) as ServiceSpec;
  const where = `Service ${manifest.metadata?.name}`;
  const selected = workloadsOf(sources).filter(({ labels }) =>
    Object.entries(selector).every(([key, value]) => labels[key] === value),
  );
  if (selected.length === 0) return [{ from, what: `${where} selects no pods` }];
  const names = selected.flatMap(({ pod }) =>
    pod.containers.flatMap((one) => (one.ports ?? []).map((port) => port.name)),
  );
  return ports
    .filter(({ targetPort }) => !names.includes(String(targetPort)))
    .map(({ targetPort }) => ({ from, what: `${where}: its pods have no port ${targetPort}` }));
}
