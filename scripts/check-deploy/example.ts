/** A small installation without mistakes, for tests to put one into. */
import type { CodeFacts } from './code-facts.ts';
import type { Source } from './manifest.ts';
import { parseManifests } from './read-manifests.ts';

export const exampleFacts: CodeFacts = {
  variables: new Map([
    ['DATABASE_URL', undefined],
    ['LOG_LEVEL', 'info'],
    ['HEALTH_PORT', '9090'],
    ['STOP_TIMEOUT_MS', '25000'],
    ['DATABASE_FLEET_CONNECTIONS', '120'],
    ['SCALE_SEND_MAX', '48'],
  ]),
  parseEnvironment: ({ LOG_LEVEL }) => (LOG_LEVEL === 'loud' ? ['LOG_LEVEL: Invalid option'] : []),
  programs: new Set(['dist/workers/send.js']),
  healthPaths: new Set(['/livez', '/readyz', '/metrics']),
  apiPaths: new Set(['/readyz', '/v1/platform/scaling']),
  metrics: new Map([
    ['sluice_send_outcomes_total', { labels: ['outcome', 'process'], processes: ['send'] }],
    ['sluice_send_seconds_bucket', { labels: ['le', 'process'], processes: ['send'] }],
  ]),
};

const text = `
apiVersion: v1
kind: ConfigMap
metadata: { name: sluice-config-abc }
data: { LOG_LEVEL: info }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: sluice-send }
spec:
  replicas: 2
  template:
    metadata: { labels: { app.kubernetes.io/component: send } }
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - image: registry.example.com/sluice:1.2.3
          command: [node, --enable-source-maps, --max-semi-space-size=32, dist/workers/send.js]
          env:
            - { name: DATABASE_URL, valueFrom: { secretKeyRef: { name: s, key: DATABASE_URL } } }
          ports: [{ name: health, containerPort: 9090 }]
          livenessProbe: { httpGet: { path: /livez, port: health } }
          lifecycle: { preStop: { exec: { command: [sleep, "10"] } } }
          resources: { requests: { memory: 448Mi } }
---
apiVersion: v1
kind: Service
metadata: { name: sluice-send }
spec:
  selector: { app.kubernetes.io/component: send }
  ports: [{ port: 80, targetPort: health }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: in }
spec: { ingress: [{ ports: [{ port: health }] }] }
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: { name: sluice }
spec: { podMetricsEndpoints: [{ port: health, path: /metrics }] }
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: sluice-send }
spec:
  scaleTargetRef: { name: sluice-send }
  maxReplicaCount: 48
  triggers: [{ type: metrics-api, metadata: { url: "http://sluice-api/v1/platform/scaling" } }]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: by-metric }
spec:
  scaleTargetRef: { name: sluice-send }
  metrics: [{ external: { metric: { name: sluice_send_outcomes_total, selector: { matchLabels: { outcome: accepted } } } } }]
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: sluice }
spec:
  groups:
    - rules:
        - alert: SluiceStopped
          expr: sum by (outcome) (rate(sluice_send_outcomes_total{process="send"}[5m])) == 0
          annotations: { runbook_url: docs/operations.md#sluicestopped }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: dashboard }
data:
  dashboard.json: '{"panels":[{"title":"Row","panels":[{"title":"Slow","targets":[{"expr":"rate(sluice_send_seconds_bucket[$__rate_interval])"}]}]}]}'
`;

/** With every `[before, after]` replaced; one that changes nothing is a mistake of the test. */
export function example(...changes: readonly (readonly [string, string])[]): readonly Source[] {
  let changed = text;
  for (const [before, after] of changes) {
    if (!changed.includes(before)) throw new Error(`the example has no ${before}`);
    changed = changed.replace(before, after);
  }
  return parseManifests(changed, 'example');
}

export const examplePage = '# Operations\n\n### SluiceStopped\n\n1. Look.\n2. Think.\n3. Act.\n';
