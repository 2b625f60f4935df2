/** Collectors of metrics ask where metrics are, and network policies open ports that somebody has. */
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import { containersOf, nameOf, ofKind, type Source } from './manifest.ts';

interface MonitorSpec {
  readonly podMetricsEndpoints?: readonly { readonly port?: string; readonly path?: string }[];
}

export function checkMonitors(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return ofKind(sources, 'PodMonitor').flatMap(
    ({ from, manifest }) =>
      ((manifest.spec ?? {}) as MonitorSpec).podMetricsEndpoints?.flatMap(({ port, path = '/metrics' }) =>
        port === 'health' && facts.healthPaths.has(path)
          ? []
          : [{ from, what: `${nameOf(manifest)}: there are no metrics at ${path} on port ${port}` }],
      ) ?? [],
  );
}

interface PolicySpec {
  readonly ingress?: readonly { readonly ports?: readonly { readonly port?: string | number }[] }[];
}

/** In rendered manifests. */
export function checkPolicies(sources: readonly Source[]): readonly Finding[] {
  const ports = containersOf(sources).flatMap(({ container }) => container.ports ?? []);
  const known = new Set(ports.flatMap(({ name, containerPort }) => [name, containerPort]));
  return ofKind(sources, 'NetworkPolicy').flatMap(({ from, manifest }) => {
    const opened = ((manifest.spec ?? {}) as PolicySpec).ingress?.flatMap((rule) => rule.ports ?? []) ?? [];
    return opened
      .filter(({ port }) => !known.has(port))
      .map(({ port }) => ({ from, what: `${nameOf(manifest)}: no pod has a port ${port}` }));
  });
}
