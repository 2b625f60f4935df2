/** `npm run docs`: writes the documentation that is made from code. With `--check` it writes nothing and fails when any is stale. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { listGeneratedFiles } from './generated-docs.ts';

const isCheck = process.argv.includes('--check');
const stale = (await listGeneratedFiles(process.cwd())).filter(({ actual, expected }) => actual !== expected);
for (const { path, expected } of stale) {
  process.stdout.write(`${isCheck ? 'stale, run npm run docs' : 'written'}: ${path}\n`);
  if (isCheck) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, expected);
}
if (isCheck && stale.length > 0) process.exitCode = 1;
