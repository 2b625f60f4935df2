/** Autoscalers: what they scale is there, what they ask the API for is a route of it, and the fleet they may make keeps within the database's cap. */
import { environmentOf } from './check-environment.ts';
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import { containersOf, nameOf, ofKind, type Source, workloadsOf } from './manifest.ts';

interface ScalerSpec {
  readonly scaleTargetRef?: { readonly name?: string };
  readonly maxReplicaCount?: number;
  readonly maxReplicas?: number;
  readonly minReplicaCount?: number;
  readonly minReplicas?: number;
  readonly triggers?: readonly {
    readonly metadata?: { readonly url?: string; readonly valueLocation?: string };
  }[];
}

/** What a process gets at least, however many share the cap (src/platform/fleet-share.ts). */
const smallestShare = 2;
/** A rolling update starts so many more for a while (maxSurge). */
const surge = 1.25;

/** What KEDA asks is answered by the API. */
export function checkTriggers(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return ofKind(sources, 'ScaledObject').flatMap(({ from, manifest }) =>
    (specOf(manifest).triggers ?? []).flatMap(({ metadata: { url = '' } = {} }) => {
      const path = URL.canParse(url) ? new URL(url).pathname : url;
      return facts.apiPaths.has(path)
        ? []
        : [{ from, what: `${nameOf(manifest)}: the API has no GET ${path}` }];
    }),
  );
}

/** In rendered manifests. */
export function checkTargets(sources: readonly Source[]): readonly Finding[] {
  const names = sources
    .filter(({ manifest }) => manifest.kind === 'Deployment')
    .map(({ manifest }) => manifest.metadata?.name);
  return scalers(sources)
    .filter(({ manifest }) => !names.includes(specOf(manifest).scaleTargetRef?.name))
    .map(({ from, manifest }) => ({
      from,
      what: `${nameOf(manifest)}: there is nothing of that name to scale`,
    }));
}

/** In rendered manifests: DATABASE_FLEET_CONNECTIONS is a promise only while each process's least share fits into it. */
export function checkFleet(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  const processes = containersOf(sources).filter(({ kind }) => kind === 'Deployment');
  const [first] = processes;
  if (!first) return [];
  const cap = Number(environmentOf(first, { sources, facts }).get('DATABASE_FLEET_CONNECTIONS'));
  const most = Math.ceil(
    surge *
      workloadsOf(sources).reduce((sum, { kind, name, replicas }) => {
        return kind === 'Deployment' ? sum + mostReplicas(sources, name, replicas) : sum;
      }, 0),
  );
  if (most * smallestShare <= cap) return [];
  const what = `${most} processes at most take ${smallestShare} statements each, more than DATABASE_FLEET_CONNECTIONS (${cap})`;
  return [{ from: first.from, what }];
}

/** In rendered manifests: what the policy may ask for is what the autoscaler may start, or one of them waits for the other for ever. */
export function checkBounds(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  const [first] = containersOf(sources).filter(({ kind }) => kind === 'Deployment');
  if (!first) return [];
  const environment = environmentOf(first, { sources, facts });
  return scalers(sources).flatMap((scaler) => boundsOf(scaler, environment));
}

function boundsOf({ from, manifest }: Source, environment: ReadonlyMap<string, string>): readonly Finding[] {
  const spec = specOf(manifest);
  const pool = spec.scaleTargetRef?.name?.replace(/^sluice-/, '').toUpperCase();
  const bounds = [
    { variable: `SCALE_${pool}_MIN`, replicas: spec.minReplicaCount ?? spec.minReplicas },
    { variable: `SCALE_${pool}_MAX`, replicas: spec.maxReplicaCount ?? spec.maxReplicas },
  ];
  return bounds.flatMap(({ variable, replicas }) => {
    const asked = environment.get(variable);
    if (asked === undefined || replicas === undefined || Number(asked) === replicas) return [];
    return [{ from, what: `${nameOf(manifest)}: ${replicas} replicas, and ${variable} is ${asked}` }];
  });
}

function mostReplicas(sources: readonly Source[], workload: string, replicas: number): number {
  const scaler = scalers(sources).find(
    ({ manifest }) => workload === `Deployment ${specOf(manifest).scaleTargetRef?.name}`,
  );
  if (!scaler) return replicas;
  const { maxReplicaCount, maxReplicas } = specOf(scaler.manifest);
  return maxReplicaCount ?? maxReplicas ?? replicas;
}

function scalers(sources: readonly Source[]): readonly Source[] {
  return [...ofKind(sources, 'ScaledObject'), ...ofKind(sources, 'HorizontalPodAutoscaler')];
}

function specOf(manifest: Source['manifest']): ScalerSpec {
  return (manifest.spec ?? {}) as ScalerSpec;
}
