import { fileURLToPath } from 'node:url';

/** Where the scripts work. Everything they write is under `.sluice/`, which git ignores. */
export const repoRoot = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
export const stateFolder = `${repoRoot}/.sluice`;
export const runFolder = `${stateFolder}/run`;
export const aptCacheFolder = `${stateFolder}/cache/apt`;
