/**
 * Does the image compile? The compiler runs in a folder that holds what the Dockerfile copies out of what .dockerignore lets through, and
 * nothing else: an import of a file that the image lacks fails here as it fails there. Needs no Docker.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { contextFilter, copiesOf } from './image/build-context.mjs';
import { runChild } from './run-child.mjs';
import { repoRoot } from './services/layout.mjs';

const folder = mkdtempSync(join(tmpdir(), 'sluice-image-'));
try {
  const isInContext = contextFilter(readFileSync(join(repoRoot, '.dockerignore'), 'utf8'));
  for (const copy of copiesOf(readFileSync(join(repoRoot, 'Dockerfile'), 'utf8')))
    copyFiles(copy, isInContext);
  symlinkSync(join(repoRoot, 'node_modules'), join(folder, 'node_modules'));
  const compiler = join(repoRoot, 'node_modules/typescript/bin/tsc');
  const { code } = await runChild(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noEmit'], {
    cwd: folder,
  });
  process.exitCode = code;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {import('./image/build-context.mjs').Copy} copy @param {(path: string) => boolean} isInContext */
function copyFiles({ sources, destination }, isInContext) {
  for (const source of sources) {
    if (!isInContext(source)) throw new Error(`Dockerfile copies ${source}, which .dockerignore keeps out`);
    const to = join(folder, destination, destination.endsWith('/') ? basename(source) : '');
    mkdirSync(join(to, '..'), { recursive: true });
    cpSync(join(repoRoot, source), to, {
      recursive: true,
      // A folder is only gone into when it is in the context itself: no pattern of ours lets in what lies below one that is out.
      filter: (path) => isInContext(path.slice(repoRoot.length + 1)),
    });
  }
}
