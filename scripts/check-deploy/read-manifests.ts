/** The manifests: as the files hold them, and as kustomize renders an overlay. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Manifest, Source } from './manifest.ts';

const folder = 'deploy/kubernetes';

/**
 * Every file under deploy/kubernetes, patches and the dashboard too, none of them merged. An .env file stands for the ConfigMap that is made from it.
 */
export function readFiles(root: string): readonly Source[] {
  return filesUnder(join(root, folder)).flatMap((path) => {
    const from = relative(root, path);
    const text = readFileSync(path, 'utf8');
    if (path.endsWith('.env')) return [{ from, manifest: configMapOf(basename(path, '.env'), text) }];
    if (basename(path) === 'kustomization.yaml') return [];
    return /\.(ya?ml|json)$/.test(path) ? parseManifests(text, from) : [];
  });
}

/** Throws when it isn't YAML. */
export function parseManifests(text: string, from: string): readonly Source[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${from}: ${error.message}`);
    const manifest = document.toJS() as Manifest | null;
    return manifest ? [{ from, manifest }] : [];
  });
}

export function overlayNames(root: string): readonly string[] {
  return readdirSync(join(root, folder, 'overlays')).sort();
}

/** The text of a whole overlay; undefined when neither kubectl nor kustomize is on PATH. Throws what it says when it fails. */
export function renderOverlay(root: string, overlay: string): string | undefined {
  const path = join(root, folder, 'overlays', overlay);
  for (const [program, verb] of renderers) {
    const { status, error, stdout, stderr } = spawnSync(program, [verb, path], { encoding: 'utf8' });
    if (error) continue;
    if (status !== 0) throw new Error(`${program} ${verb} ${overlay}: ${stderr.trim()}`);
    return stdout;
  }
  return undefined;
}

const renderers = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
] as const;

function filesUnder(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function configMapOf(name: string, text: string): Manifest {
  const lines = text.split('\n').filter((line) => /^\w+=/.test(line));
  const pairs = lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  return { kind: 'ConfigMap', metadata: { name: `${name}-config` }, data: Object.fromEntries(pairs) };
}
