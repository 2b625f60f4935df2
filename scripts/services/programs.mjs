import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Servers lie in sbin or libexec, which are not on everybody's PATH, and Homebrew keeps some of them off it
 * on purpose.
 */
const MORE_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/libexec',
  '/opt/homebrew/bin',
  ...['mariadb', 'mysql', 'mysql@8.4', 'redis', 'valkey'].flatMap((formula) => [
    `/opt/homebrew/opt/${formula}/bin`,
    `/usr/local/opt/${formula}/bin`,
  ]),
];

export function serverFolders() {
  return [...(process.env.PATH ?? '').split(delimiter), ...MORE_FOLDERS];
}

/**
 * @param {string[]} folders
 * @param {string[]} names in order of preference
 * @returns {string | undefined} the path of the first one there is
 */
export function findIn(folders, names) {
  const paths = names.flatMap((name) => folders.filter(Boolean).map((folder) => join(folder, name)));
  return paths.find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
