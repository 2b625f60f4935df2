/**
 * `npm run check:deploy [-- --crds FOLDER]`: renders every overlay of deploy/kubernetes, compares it with the code, and validates it against Kubernetes' schemas.
 * What can't be checked on this machine is said to be not checked, never to be right.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measuredRuns, peakMemory } from './bench-usage.ts';
import { checkFiles, checkRendered } from './check-deploy/checks.ts';
import type { Finding } from './check-deploy/finding.ts';
import { nameOf, type Source } from './check-deploy/manifest.ts';
import { readCode } from './check-deploy/read-code.ts';
import { overlayNames, parseManifests, readFiles, renderOverlay } from './check-deploy/read-manifests.ts';
import { validateRules } from './check-deploy/validate-rules.ts';
import { findValidator, isNative, kubernetesVersion, validate } from './check-deploy/validate-schemas.ts';

const root = process.cwd();
const { crds } = parseArgs({ options: { crds: { type: 'string' } } }).values;
const facts = await readCode(root);
const peakMb = latestPeaks();
const validator = findValidator(root);
const notChecked: string[] = [];
let mistakes = 0;

const operationsPage = readFileSync('docs/operations.md', 'utf8');
const files = readFiles(root);
report('files', [...checkFiles(files, { facts, operationsPage }), ...checkRules()]);
for (const overlay of overlayNames(root)) checkOverlay(overlay);
if (peakMb.size === 0) notChecked.push('memory requests: no kept run of the bench has them');
if (!validator)
  notChecked.push(`Kubernetes' schemas: no kubectl-validate on PATH, and Go could not install it`);
for (const line of notChecked) process.stdout.write(`NOT CHECKED  ${line}\n`);
// Wired processes hold timers and pools that were never started.
process.exit(mistakes > 0 ? 1 : 0);

function checkRules(): readonly Finding[] {
  const complaints = validateRules(files);
  if (!complaints) notChecked.push('types in PromQL: no promtool on PATH');
  return (complaints ?? []).map((what) => ({ from: 'promtool', what }));
}

/** Of the latest run of the bench that timed the pipeline: some measure other things. */
function latestPeaks(): ReadonlyMap<string, number> {
  const folder = 'load-tests/results';
  const files = readdirSync(folder).filter((file) => /^bench-.*\.json$/.test(file));
  for (const file of files.sort().reverse()) {
    const runs = measuredRuns(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    if (runs.length > 0) return peakMemory(runs);
  }
  return new Map();
}

function checkOverlay(overlay: string): void {
  const text = renderOverlay(root, overlay);
  if (text === undefined) {
    notChecked.push(
      `overlay ${overlay}: neither kubectl nor kustomize is on PATH (https://kubectl.docs.kubernetes.io/installation)`,
    );
    return;
  }
  const sources = parseManifests(text, overlay);
  report(`overlay ${overlay}`, [
    ...checkRendered(sources, { facts, peakMb }),
    ...checkSchemas(overlay, sources),
  ]);
}

function checkSchemas(overlay: string, all: readonly Source[]): readonly Finding[] {
  if (!validator) return [];
  const sources = crds ? all : all.filter(isNative);
  const left = all.filter((source) => !sources.includes(source)).map(({ manifest }) => nameOf(manifest));
  if (left.length > 0)
    notChecked.push(
      `schemas in overlay ${overlay}: ${left.join(', ')} (--crds FOLDER with their definitions)`,
    );
  const what = validate(validator, { sources, crds });
  return what ? [{ from: overlay, what: `Kubernetes ${kubernetesVersion}: ${what}` }] : [];
}

function report(name: string, findings: readonly Finding[]): void {
  mistakes += findings.length;
  for (const { from, what } of findings) process.stdout.write(`WRONG  ${from}: ${what}\n`);
  if (findings.length === 0) process.stdout.write(`ok  ${name}\n`);
}
