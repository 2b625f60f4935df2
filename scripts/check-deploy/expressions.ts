/** Where PromQL stands in the manifests: alert rules, the dashboard, the adapter's rules, autoscalers on external metrics. */
import { type Manifest, ofKind, type Source } from './manifest.ts';

export interface PlacedExpression {
  readonly from: string;
  readonly where: string;
  readonly text: string;
}

interface RuleSpec {
  readonly groups?: readonly { readonly rules?: readonly Rule[] }[];
}

export interface Rule {
  readonly alert?: string;
  readonly expr?: string | number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function rulesOf(
  sources: readonly Source[],
): readonly { readonly from: string; readonly rule: Rule }[] {
  return ofKind(sources, 'PrometheusRule').flatMap(
    ({ from, manifest }) =>
      ((manifest.spec ?? {}) as RuleSpec).groups?.flatMap(({ rules = [] }) =>
        rules.map((rule) => ({ from, rule })),
      ) ?? [],
  );
}

export function expressionsOf(sources: readonly Source[]): readonly PlacedExpression[] {
  return [
    ...rulesOf(sources).map(({ from, rule }) => ({
      from,
      where: `alert ${rule.alert}`,
      text: String(rule.expr),
    })),
    ...ofKind(sources, 'HorizontalPodAutoscaler').flatMap(externalMetrics),
    ...sources.flatMap(dashboardExpressions),
    ...sources.flatMap(adapterExpressions),
  ];
}

interface AutoscalerSpec {
  readonly metrics?: readonly {
    readonly external?: {
      readonly metric?: {
        readonly name?: string;
        readonly selector?: { readonly matchLabels?: Record<string, string> };
      };
    };
  }[];
}

function externalMetrics({ from, manifest }: Source): readonly PlacedExpression[] {
  return (((manifest.spec ?? {}) as AutoscalerSpec).metrics ?? []).flatMap(({ external }) => {
    if (!external) return [];
    const { name = '', selector } = external.metric ?? {};
    const labels = Object.entries(selector?.matchLabels ?? {}).map(([label, value]) => `${label}="${value}"`);
    return [{ from, where: `autoscaler ${manifest.metadata?.name}`, text: `${name}{${labels.join(',')}}` }];
  });
}

/** A dashboard as Grafana keeps it, in a ConfigMap once rendered, else as the file itself. */
function dashboardExpressions({ from, manifest }: Source): readonly PlacedExpression[] {
  const texts = Object.entries(manifest.data ?? {}).filter(([name]) => name.endsWith('.json'));
  const dashboards = Array.isArray(manifest.panels) ? [manifest] : texts.map(([, text]) => JSON.parse(text));
  return dashboards.flatMap((dashboard) =>
    panelsOf(dashboard).flatMap((panel) => panelExpressions(from, panel)),
  );
}

interface Panel {
  readonly title?: string;
  readonly targets?: readonly { readonly expr?: string }[];
  readonly panels?: readonly Panel[];
}

function panelsOf(dashboard: Pick<Panel, 'panels'>): readonly Panel[] {
  return (dashboard.panels ?? []).flatMap((panel) => [panel, ...panelsOf(panel)]);
}

function panelExpressions(from: string, { title, targets = [] }: Panel): readonly PlacedExpression[] {
  return targets.flatMap(({ expr }) =>
    expr ? [{ from, where: `panel "${title}"`, text: withoutVariables(expr) }] : [],
  );
}

/** Grafana fills them in: a time where a duration stands. */
function withoutVariables(expression: string): string {
  return expression.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h');
}

interface AdapterValues extends Manifest {
  readonly rules?: {
    readonly external?: readonly { readonly seriesQuery?: string; readonly metricsQuery?: string }[];
  };
}

function adapterExpressions({ from, manifest }: Source): readonly PlacedExpression[] {
  const external = (manifest as AdapterValues).rules?.external ?? [];
  return external.flatMap(({ seriesQuery = '', metricsQuery = '' }) =>
    [seriesQuery, metricsQuery.replace('<<.LabelMatchers>>', '').replace('<<.GroupBy>>', 'namespace')].map(
      (text) => ({ from, where: 'prometheus adapter', text }),
    ),
  );
}
