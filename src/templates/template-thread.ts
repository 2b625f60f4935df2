/** Runs in a thread of its own: answers one job at a time. Its parent ends it when a job takes too long. */
import { parentPort } from 'node:worker_threads';
import type { TenantId } from '../ids.ts';
import { compileMjml } from '../render/mjml.ts';
import { type JobInput, type JobName, runHere } from './template-jobs.ts';

const nobody = 0 as TenantId;

// Loading the MJML compiler takes a second, which is not the first template's fault.
await compileMjml('<mjml><mj-body></mj-body></mjml>');
parentPort?.on('message', async ({ name, input }: { name: JobName; input: JobInput<JobName> }) => {
  try {
    parentPort?.postMessage({ kind: 'done', value: await runHere(nobody, name, input) });
  } catch (error) {
    parentPort?.postMessage({ kind: 'broken', error });
  }
});
parentPort?.postMessage({ kind: 'ready' });
