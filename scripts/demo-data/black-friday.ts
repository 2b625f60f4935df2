/** The demo's mail: a campaign of a shop that doesn't exist, and as heavy as real ones. */
import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

export interface BlackFridayTemplate {
  readonly subject: string;
  readonly preheader: string;
  readonly mjml: string;
}

/** The sources stay in the source tree: the compiled copy of this file is in `dist/` at the same place. */
const folder = import.meta.dirname.replace(`${sep}dist${sep}scripts${sep}`, `${sep}scripts${sep}`);

export async function readBlackFriday(): Promise<BlackFridayTemplate> {
  const [subject, preheader, mjml] = await Promise.all([
    readText('black-friday.subject.liquid'),
    readText('black-friday.preheader.liquid'),
    readText('black-friday.mjml'),
  ]);
  return { subject: subject.trim(), preheader: preheader.trim(), mjml };
}

function readText(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}
