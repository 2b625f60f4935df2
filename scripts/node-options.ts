/**
 * Options of Node for a process of the pipeline, as its manifests and compose files have them (`npm run check:deploy` compares).
 *
 * Render and send workers live on what dies young: some 25 KB a message, while thousands of messages wait. With Node's 16 MB for the young every
 * collection copies those that wait, and more than a quarter of the workers' CPU goes there; with 32 MB most are gone before the next one (87 to 68 µs a message in the render worker, 127 to 94 in the send worker). Larger still is
 * faster still, but the process then outgrows the 300 MB that DESIGN gives it. It can't be set from within: V8 reads it when the process starts.
 */
export const largerYoungGeneration = '--max-semi-space-size=32';

const busyPrograms = ['workers/render.js', 'workers/send.js', 'workers/all.js'];

/** `program`: as in `dist/`, or with it. */
export function nodeOptions(program: string): readonly string[] {
  return busyPrograms.some((busy) => program.endsWith(busy)) ? [largerYoungGeneration] : [];
}
