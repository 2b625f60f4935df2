/** Kubernetes documents as they are in files: any field may be missing, since patches hold only what they change. */

export interface Manifest {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Record<string, unknown>;
  readonly data?: Record<string, string>;
  readonly [field: string]: unknown;
}

/** A document and the file, or the overlay, that it comes from. */
export interface Source {
  readonly from: string;
  readonly manifest: Manifest;
}

export interface EnvEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name?: string; readonly key?: string };
    readonly configMapKeyRef?: { readonly name?: string };
  };
}

export interface EnvSource {
  readonly configMapRef?: { readonly name?: string };
  readonly secretRef?: { readonly name?: string };
}

export interface Volume {
  readonly configMap?: { readonly name?: string };
  readonly secret?: { readonly secretName?: string };
  readonly persistentVolumeClaim?: { readonly claimName?: string };
}

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port?: string | number };
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort?: number;
}

export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvEntry[];
  readonly envFrom?: readonly EnvSource[];
  readonly ports?: readonly ContainerPort[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly exec?: { readonly command?: readonly string[] } } };
  readonly resources?: { readonly requests?: { readonly memory?: string } };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly serviceAccountName?: string;
  readonly volumes?: readonly Volume[];
  readonly terminationGracePeriodSeconds?: number;
}

export interface Workload {
  readonly from: string;
  readonly name: string;
  readonly kind: string;
  readonly replicas: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: PodSpec;
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly template?: {
    readonly metadata?: { readonly labels?: Record<string, string> };
    readonly spec?: PodSpec;
  };
}

/** What runs pods. */
export function workloadsOf(sources: readonly Source[]): readonly Workload[] {
  return sources.flatMap(({ from, manifest }) => {
    const { replicas = 1, template } = (manifest.spec ?? {}) as WorkloadSpec;
    if (!template?.spec?.containers) return [];
    const labels = template.metadata?.labels ?? {};
    return [
      { from, kind: manifest.kind ?? '', name: nameOf(manifest), replicas, labels, pod: template.spec },
    ];
  });
}

export interface PlacedContainer extends Workload {
  readonly container: Container;
}

export function containersOf(sources: readonly Source[]): readonly PlacedContainer[] {
  return workloadsOf(sources).flatMap((workload) =>
    workload.pod.containers.map((container) => ({ ...workload, container })),
  );
}

export function ofKind(sources: readonly Source[], kind: string): readonly Source[] {
  return sources.filter(({ manifest }) => manifest.kind === kind);
}

export function nameOf(manifest: Manifest): string {
  return `${manifest.kind} ${manifest.metadata?.name}`;
}
