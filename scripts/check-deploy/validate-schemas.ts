/**
 * Kubernetes' own schemas, by sigs.k8s.io/kubectl-validate: it brings those of the native kinds with it and needs no cluster and no network.
 * kubeconform fetches them from the net at every run. Of custom resources (KEDA, Prometheus operator) it needs the definitions, in a folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { stringify } from 'yaml';
import type { Source } from './manifest.ts';

const program = 'kubectl-validate';
const module = 'sigs.k8s.io/kubectl-validate@v0.0.4';
/** The oldest release that the manifests are meant for. */
export const kubernetesVersion = '1.30';

/** Where the program is: on PATH, in the cache, or made there by Go; undefined where it can't be had. */
export function findValidator(root: string): string | undefined {
  const cache = join(root, '.sluice/cache/bin');
  for (const path of [program, join(cache, program)]) if (runs(path)) return path;
  mkdirSync(cache, { recursive: true });
  process.stdout.write(`installing ${module} into ${cache} (once)\n`);
  spawnSync('go', ['install', module], {
    env: { ...process.env, GOBIN: cache },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const made = join(cache, program);
  return existsSync(made) ? made : undefined;
}

function runs(path: string): boolean {
  return spawnSync(path, ['--help'], { stdio: 'ignore' }).status === 0;
}

/** Kinds that Kubernetes itself has; all others are defined by what is installed into a cluster. */
export function isNative({ manifest }: Source): boolean {
  const [group, version] = (manifest.apiVersion ?? '').split('/');
  return version === undefined || !group?.includes('.') || group.endsWith('.k8s.io');
}

/** What the validator says against them; nothing when all is well. `crds`: a folder of CustomResourceDefinitions. */
export function validate(
  validator: string,
  { sources, crds }: { readonly sources: readonly Source[]; readonly crds: string | undefined },
): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-manifests-'));
  try {
    const file = join(folder, 'manifests.yaml');
    writeFileSync(
      file,
      sources.map(({ manifest }) => stringify(manifest, { aliasDuplicateObjects: false })).join('---\n'),
    );
    const custom = crds ? ['--local-crds', crds] : [];
    const args = [file, '--version', kubernetesVersion, ...custom];
    const { status, stdout, stderr } = spawnSync(validator, args, { encoding: 'utf8' });
    return status === 0 ? undefined : stripVTControlCharacters(`${stdout}${stderr}`).trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
