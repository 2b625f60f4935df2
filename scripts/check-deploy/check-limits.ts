/** In rendered manifests: a process has the time to stop that it was promised, and the memory that was measured. */
import { environmentOf } from './check-environment.ts';
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import { containersOf, type PlacedContainer, type Source } from './manifest.ts';

/** For what isn't counted: the signal's way, the last log lines. */
const marginMs = 2_000;
/** Kubernetes's own, where a manifest says nothing. */
const defaultGraceSeconds = 30;

export function checkStopTime(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return containersOf(sources)
    .filter(({ kind }) => kind === 'Deployment')
    .flatMap((placed) => {
      const { from, name, pod } = placed;
      const graceMs = (pod.terminationGracePeriodSeconds ?? defaultGraceSeconds) * 1_000;
      const stopMs = Number(environmentOf(placed, { sources, facts }).get('STOP_TIMEOUT_MS'));
      const neededMs = preStopMs(placed) + stopMs + marginMs;
      if (graceMs >= neededMs) return [];
      return [{ from, what: `${name}: killed after ${graceMs} ms, and stopping may take ${neededMs} ms` }];
    });
}

function preStopMs({ container }: PlacedContainer): number {
  const command = container.lifecycle?.preStop?.exec?.command ?? [];
  return command[0] === 'sleep' ? Number(command[1]) * 1_000 : 0;
}

/** `peakMb`: by process, as the bench has measured it. */
export function checkMemory(
  sources: readonly Source[],
  peakMb: ReadonlyMap<string, number>,
): readonly Finding[] {
  return containersOf(sources).flatMap(({ from, name, labels, container }) => {
    const peak = peakMb.get(labels['app.kubernetes.io/component'] ?? '');
    const requested = mebibytesOf(container.resources?.requests?.memory);
    if (peak === undefined || requested * 1.048_576 >= peak) return [];
    return [{ from, what: `${name}: requests ${requested} Mi of memory, and ${peak} MB were measured` }];
  });
}

function mebibytesOf(quantity: string | undefined): number {
  const match = /^(\d+)(Mi|Gi)$/.exec(quantity ?? '');
  return match ? Number(match[1]) * (match[2] === 'Gi' ? 1_024 : 1) : 0;
}
