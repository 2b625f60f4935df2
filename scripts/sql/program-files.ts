/** The files that the processes are made of: whatever their entry points lead to. Tests and what only they use are not among them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSourceFile, type SourceFile } from './source-file.ts';

const entries = ['src/server.ts', 'scripts/archive.ts', 'scripts/migrate.ts'];

export function readProgramFiles(root: string): ReadonlyMap<string, SourceFile> {
  const files = new Map<string, SourceFile>();
  const left = [...entries, ...readdirSync(join(root, 'workers')).map((name) => `workers/${name}`)];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (files.has(path) || !path.endsWith('.ts')) continue;
    const file = readSourceFile(root, path);
    files.set(path, file);
    left.push(...file.imports);
  }
  return files;
}
