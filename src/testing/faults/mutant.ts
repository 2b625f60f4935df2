/** A protection taken out of a copy of the build, so that production's code carries no switches for tests. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Edit {
  /** Below the build's folder. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** The protection that is missing. */
  readonly protection: string;
  readonly edits: readonly Edit[];
  /** The experiment that must fail without it. */
  readonly experiment: string;
  /** Why it may pass all the same: the protection is not the only one, or the run must be unlucky to need it. */
  readonly maySurvive?: string;
  /** One of the few that every run of CI tries. */
  readonly isQuick?: boolean;
}

/** Copies the build into `folder` and edits it there; answers the copy's path. */
export function buildMutant(distFolder: string, folder: string, edits: readonly Edit[]): string {
  cpSync(distFolder, folder, { recursive: true });
  for (const edit of edits) {
    const around = splitAtEdit(folder, edit);
    writeFileSync(join(folder, edit.file), around.join(edit.replace));
  }
  return folder;
}

/** Throws for an edit that the code has outgrown: otherwise only a run of all of them finds it. */
export function assertMutable(distFolder: string, edits: readonly Edit[]): void {
  for (const edit of edits) splitAtEdit(distFolder, edit);
}

function splitAtEdit(folder: string, { file, find }: Edit): readonly string[] {
  const parts = readFileSync(join(folder, file), 'utf8').split(find);
  if (parts.length !== 2)
    throw new Error(`${file} has ${parts.length - 1} times what the mutant replaces: ${find}`);
  return parts;
}
