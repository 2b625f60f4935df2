import { expect, test } from 'vitest';
import { checkFiles, checkRendered } from './checks.ts';
import { example, exampleFacts, examplePage } from './example.ts';

const peakMb = new Map([['send', 371]]);

type Change = readonly [string, string];

function findings(...changes: readonly Change[]): readonly string[] {
  const sources = example(...changes);
  const all = [
    ...checkFiles(sources, { facts: exampleFacts, operationsPage: examplePage }),
    ...checkRendered(sources, { facts: exampleFacts, peakMb }),
  ];
  return [...new Set(all.map(({ what }) => what))];
}

test('the example has no mistakes', () => {
  expect(findings()).toEqual([]);
});

test('what Node and an OpenTelemetry SDK read is no mistake', () => {
  const more = 'LOG_LEVEL: info, NODE_OPTIONS: --import /otel/otel.mjs, OTEL_SERVICE_NAME: sluice';
  expect(findings(['{ LOG_LEVEL: info }', `{ ${more} }`])).toEqual([]);
});

test.each<readonly [string, Change, string]>([
  ['a variable of a ConfigMap', ['{ LOG_LEVEL: info }', '{ LOG_LEVLE: info }'], 'no process reads LOG_LEVLE'],
  [
    'a variable of a container',
    ['- { name: DATABASE_URL', '- { name: DATABSE_URL'],
    'no process reads DATABSE_URL',
  ],
  [
    'a value that no process takes',
    ['{ LOG_LEVEL: info }', '{ LOG_LEVEL: loud }'],
    'LOG_LEVEL: Invalid option',
  ],
  [
    'a secret in plain',
    ['valueFrom: { secretKeyRef: { name: s, key: DATABASE_URL } }', 'value: "mysql://u:p@h/s"'],
    'DATABASE_URL is a secret and stands there in plain',
  ],
  [
    'the wrong key of a Secret',
    ['key: DATABASE_URL', 'key: REDIS_URL'],
    'DATABASE_URL is read from key REDIS_URL',
  ],
  ['a Secret', ['kind: Service\n', 'kind: Secret\n'], 'secrets are not kept in manifests'],
  ['a port', ['containerPort: 9090', 'containerPort: 9091'], 'port health is 9091, and HEALTH_PORT is 9090'],
  ['a port of another name', ['name: health, c', 'name: admin, c'], 'port admin is none of ours'],
  [
    'a probe of a path',
    ['path: /livez', 'path: /healthz'],
    'nothing answers a probe of /healthz on port health',
  ],
  ['a probe of a port', ['/livez, port: health', '/livez, port: http'], 'a probe asks port http'],
  [
    'a program',
    ['dist/workers/send.js', 'dist/workers/sender.js'],
    'the image has no "node --enable-source-maps --max-semi-space-size=32 dist/workers/sender.js"',
  ],
  [
    'an option of Node that a program needs',
    ['--max-semi-space-size=32, ', ''],
    'dist/workers/send.js is to be started with --max-semi-space-size=32',
  ],
  ['an argument', ['dist/workers/send.js]', 'dist/workers/send.js, --all]'], 'the image has no'],
  [
    'no command',
    ['          command: [node, --enable-source-maps, --max-semi-space-size=32, dist/workers/send.js]\n', ''],
    'has no command',
  ],
  ['an image without a release', ['sluice:1.2.3', 'sluice'], 'names no release'],
  ['an image of no certain release', ['sluice:1.2.3', 'sluice:latest'], 'names no release'],
  [
    'a process that is left out',
    ['dist/workers/send.js', 'dist/workers/all.js'],
    'nothing runs dist/workers/send.js',
  ],
  [
    'where metrics are',
    ['path: /metrics', 'path: /metric'],
    'there are no metrics at /metric on port health',
  ],
  [
    'a port that is opened',
    ['[{ port: health }]', '[{ port: http }]'],
    'NetworkPolicy in: no pod has a port http',
  ],
  [
    'a Service without pods',
    ['selector: { app.kubernetes.io/component: send }', 'selector: { app: send }'],
    'selects no pods',
  ],
  ['a Service on no port', ['targetPort: health', 'targetPort: http'], 'its pods have no port http'],
  [
    'an alert on a metric',
    ['rate(sluice_send_outcomes_total{', 'rate(sluice_send_outcome_total{'],
    'alert SluiceStopped: no process registers sluice_send_outcome_total',
  ],
  [
    'a label that is matched',
    ['{process="send"}', '{kind="sent"}'],
    'sluice_send_outcomes_total has no label kind',
  ],
  [
    'a label that is grouped by',
    ['sum by (outcome)', 'sum by (tenant)'],
    'none of its series has a label tenant',
  ],
  ['a process', ['{process="send"}', '{process="sender"}'], 'no process sender registers'],
  ['PromQL', ['[5m])) == 0', '[5m]) == 0'], 'not PromQL'],
  [
    'a histogram without a suffix',
    ['sluice_send_seconds_bucket', 'sluice_send_seconds'],
    'panel "Slow": no process registers sluice_send_seconds',
  ],
  [
    'the metric of an autoscaler',
    ['name: sluice_send_outcomes_total', 'name: sluice_send_wanted'],
    'autoscaler by-metric: no process registers sluice_send_wanted',
  ],
  ['the label of an autoscaler', ['{ outcome: accepted }', '{ pool: send }'], 'has no label pool'],
  ['a route that KEDA asks', ['/v1/platform/scaling', '/v1/scaling'], 'the API has no GET /v1/scaling'],
  [
    'what is scaled',
    ['scaleTargetRef: { name: sluice-send }', 'scaleTargetRef: { name: sluice-sent }'],
    'there is nothing of that name to scale',
  ],
  [
    'a fleet beyond the database',
    ['maxReplicaCount: 48', 'maxReplicaCount: 49'],
    '62 processes at most take 2 statements each',
  ],
  [
    'an autoscaler with other bounds than the policy',
    ['maxReplicaCount: 48', 'maxReplicaCount: 47'],
    '47 replicas, and SCALE_SEND_MAX is 48',
  ],
  [
    'too little time to stop',
    ['Seconds: 45', 'Seconds: 36'],
    'killed after 36000 ms, and stopping may take 37000 ms',
  ],
  [
    'less memory than measured',
    ['memory: 448Mi', 'memory: 256Mi'],
    'requests 256 Mi of memory, and 371 MB were measured',
  ],
  [
    'an alert without steps',
    ['alert: SluiceStopped', 'alert: SluiceHalted'],
    'has no three steps under "### SluiceHalted"',
  ],
  [
    'steps without an alert',
    ['alert: SluiceStopped', 'alert: SluiceHalted'],
    'there is no alert SluiceStopped',
  ],
  ['a link to no section', ['#sluicestopped', '#stopped'], "runbook_url of SluiceStopped doesn't lead to"],
])('%s that is not so is found', (_, change, what) => {
  expect(findings(change).join('\n')).toContain(what);
});

test('two images in one installation are found', () => {
  const job = `kind: Job
metadata: { name: migrate }
spec: { template: { spec: { containers: [{ image: "sluice:1.0.0", command: [node, dist/workers/send.js] }] } } }
---
apiVersion: v1
kind: Service
`;
  expect(findings(['kind: Service\n', job]).join('\n')).toContain('several images');
});

const early = '{ name: migrate, annotations: { argocd.argoproj.io/hook: PreSync } }';
const hook = (pod: string, metadata = early) => `kind: Job
metadata: ${metadata}
spec: { template: { spec: { ${pod}, containers: [{ image: "registry.example.com/sluice:1.2.3", command: [node, dist/workers/send.js] }] } } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: sluice }
---
apiVersion: v1
kind: Service
`;

test.each([
  ['ServiceAccount sluice', 'serviceAccountName: sluice'],
  ['ConfigMap sluice-config-abc', 'volumes: [{ configMap: { name: sluice-config-abc } }]'],
  ['ConfigMap dashboard', 'initContainers: [{ envFrom: [{ configMapRef: { name: dashboard } }] }]'],
])('a hook before all else that needs %s of the rest is found', (needed, pod) => {
  const what = `Job migrate runs before the rest is there, and needs ${needed}`;
  expect(findings(['kind: Service\n', hook(pod)])).toContain(what);
  expect(findings(['kind: Service\n', hook(pod, '{ name: migrate }')]).join('\n')).not.toContain(
    'before the rest',
  );
});

test('a hook before all else may need what is there before', () => {
  const all = findings(['kind: Service\n', hook('serviceAccountName: default')]);
  expect(all.join('\n')).not.toContain('before the rest');
});
