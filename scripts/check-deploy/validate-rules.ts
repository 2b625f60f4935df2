/** Alert rules by Prometheus's own promtool: the grammar that `promql.ts` reads knows no types. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ofKind, type Source } from './manifest.ts';

/** Undefined without promtool on PATH; else what it says against the rules, nothing when all is well. */
export function validateRules(sources: readonly Source[]): readonly string[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-rules-'));
  try {
    const file = join(folder, 'rules.yaml');
    const complaints: string[] = [];
    for (const { manifest } of ofKind(sources, 'PrometheusRule')) {
      writeFileSync(file, stringify(manifest.spec));
      const { status, error, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], {
        encoding: 'utf8',
      });
      if (error) return undefined;
      if (status !== 0) complaints.push(`${stdout}${stderr}`.trim());
    }
    return complaints;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
