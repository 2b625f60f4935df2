/** Every series that is asked for is registered by a process, with those labels; every expression is valid PromQL. */
import type { CodeFacts, MetricFact } from './code-facts.ts';
import { expressionsOf, type PlacedExpression } from './expressions.ts';
import type { Finding } from './finding.ts';
import type { Source } from './manifest.ts';
import { readExpression, type Selector } from './promql.ts';

/** Prometheus's own, and what it and the PodMonitor add to every series. */
const ownSeries: ReadonlyMap<string, readonly string[]> = new Map([['up', []]]);
const targetLabels = ['namespace', 'pod', 'container', 'job', 'instance', 'endpoint'];

export function checkMetrics(sources: readonly Source[], facts: CodeFacts): readonly Finding[] {
  return expressionsOf(sources).flatMap((placed) => checkExpression(placed, facts));
}

function checkExpression({ from, where, text }: PlacedExpression, facts: CodeFacts): readonly Finding[] {
  const { selectors, grouped, errorAt } = readExpression(text);
  const finding = (what: string): Finding => ({ from, what: `${where}: ${what}` });
  if (errorAt !== undefined) return [finding(`not PromQL from "${text.slice(errorAt, errorAt + 30)}" on`)];
  const labels = new Set(selectors.flatMap(({ metric }) => labelsOf(metric, facts) ?? []));
  return [
    ...selectors.flatMap((selector) => checkSelector(selector, facts).map(finding)),
    ...grouped
      .filter((label) => !labels.has(label))
      .map((label) => finding(`none of its series has a label ${label}`)),
  ];
}

function checkSelector({ metric, matchers }: Selector, facts: CodeFacts): readonly string[] {
  const labels = labelsOf(metric, facts);
  if (!labels) return [`no process registers ${metric ?? 'a series without a name'}`];
  return matchers.flatMap(({ label, operator, value }) => {
    if (!labels.includes(label)) return [`${metric} has no label ${label}`];
    const processes = (facts.metrics.get(metric!) as MetricFact | undefined)?.processes;
    const isImpossible = label === 'process' && operator === '=' && processes && !processes.includes(value);
    return isImpossible ? [`no process ${value} registers ${metric}`] : [];
  });
}

function labelsOf(metric: string | undefined, facts: CodeFacts): readonly string[] | undefined {
  if (metric === undefined) return undefined;
  const labels = ownSeries.get(metric) ?? facts.metrics.get(metric)?.labels;
  return labels && [...labels, ...targetLabels];
}
