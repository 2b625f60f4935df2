/** The checks that hold for files as they are, patches included, and those that need the rendered whole. */
import { checkCommands, checkComplete, checkImages } from './check-commands.ts';
import { checkEnvironment } from './check-environment.ts';
import { checkHooks } from './check-hooks.ts';
import { checkMemory, checkStopTime } from './check-limits.ts';
import { checkMetrics } from './check-metrics.ts';
import { checkMonitors, checkPolicies } from './check-monitors.ts';
import { checkPortNames, checkPorts, checkProbes } from './check-ports.ts';
import { checkRunbook } from './check-runbook.ts';
import { checkBounds, checkFleet, checkTargets, checkTriggers } from './check-scaling.ts';
import type { CodeFacts } from './code-facts.ts';
import type { Finding } from './finding.ts';
import type { Source } from './manifest.ts';

export function checkFiles(
  sources: readonly Source[],
  { facts, operationsPage }: { readonly facts: CodeFacts; readonly operationsPage: string },
): readonly Finding[] {
  return [...checkAgainstCode(sources, facts), ...checkRunbook(sources, operationsPage)];
}

export function checkRendered(
  sources: readonly Source[],
  { facts, peakMb }: { readonly facts: CodeFacts; readonly peakMb: ReadonlyMap<string, number> },
): readonly Finding[] {
  return [
    ...checkAgainstCode(sources, facts),
    ...checkImages(sources),
    ...checkComplete(sources, facts),
    ...checkHooks(sources),
    ...checkPortNames(sources),
    ...checkPolicies(sources),
    ...checkTargets(sources),
    ...checkFleet(sources, facts),
    ...checkBounds(sources, facts),
    ...checkStopTime(sources, facts),
    ...checkMemory(sources, peakMb),
  ];
}

function checkAgainstCode(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return [
    ...checkEnvironment(sources, facts),
    ...checkCommands(sources, facts),
    ...checkPorts(sources, facts),
    ...checkProbes(sources, facts),
    ...checkMonitors(sources, facts),
    ...checkMetrics(sources, facts),
    ...checkTriggers(sources, facts),
  ];
}
