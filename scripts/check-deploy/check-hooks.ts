/**
 * In rendered manifests: what Argo CD runs before it applies the rest (a PreSync hook) must do without that rest. Of a first install nothing is there yet:
 * a pod that names a ServiceAccount of it is refused, one that names a ConfigMap waits for it, and so does everything after.
 */
import type { Finding } from './finding.ts';
import { type Container, type Manifest, nameOf, type PodSpec, type Source, workloadsOf } from './manifest.ts';

export function checkHooks(sources: readonly Source[]): readonly Finding[] {
  const later = new Set(
    sources.filter(({ manifest }) => !isBefore(manifest)).map(({ manifest }) => nameOf(manifest)),
  );
  return workloadsOf(sources.filter(({ manifest }) => isBefore(manifest))).flatMap(({ from, name, pod }) =>
    neededBy(pod)
      .filter((needed) => later.has(needed))
      .map((needed) => ({ from, what: `${name} runs before the rest is there, and needs ${needed}` })),
  );
}

function isBefore({ metadata }: Manifest): boolean {
  const phases = metadata?.annotations?.['argocd.argoproj.io/hook']?.split(',') ?? [];
  return phases.some((phase) => phase.trim() === 'PreSync');
}

/** As `nameOf` names them. */
function neededBy(pod: PodSpec): readonly string[] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...named('ServiceAccount', pod.serviceAccountName),
    ...containers.flatMap(readBy),
    ...(pod.volumes ?? []).flatMap(({ configMap, secret, persistentVolumeClaim }) => [
      ...named('ConfigMap', configMap?.name),
      ...named('Secret', secret?.secretName),
      ...named('PersistentVolumeClaim', persistentVolumeClaim?.claimName),
    ]),
  ];
}

function readBy({ env = [], envFrom = [] }: Container): readonly string[] {
  return [
    ...env.flatMap(({ valueFrom }) => [
      ...named('ConfigMap', valueFrom?.configMapKeyRef?.name),
      ...named('Secret', valueFrom?.secretKeyRef?.name),
    ]),
    ...envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...named('ConfigMap', configMapRef?.name),
      ...named('Secret', secretRef?.name),
    ]),
  ];
}

function named(kind: string, name: string | undefined): readonly string[] {
  return name === undefined ? [] : [`${kind} ${name}`];
}
