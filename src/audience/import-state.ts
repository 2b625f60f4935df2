/**
 * receiving -> pending -> running -> done, and from each of the first three to failed or cancelled. `receiving` and
 * `running` are held under a lease of their own; a lease on an ended import means that its blocks are still to be removed.
 */
export const importStates = ['receiving', 'pending', 'running', 'done', 'failed', 'cancelled'] as const;
export type ImportState = (typeof importStates)[number];

export const importFormats = ['csv', 'ndjson'] as const;
export type ImportFormat = (typeof importFormats)[number];
