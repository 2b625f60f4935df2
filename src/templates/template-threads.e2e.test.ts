/** On the compiled thread, as the API runs it. */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { sampleContext, sampleRecipient, sampleSource } from '../render/sample-message.ts';
import { restoreBuffers } from './template-jobs.ts';
import { createTemplateThreads, type TemplateThreads } from './template-threads.ts';

const entry = new URL('../../dist/src/templates/template-thread.js', import.meta.url);
const [one, two] = [1, 2] as [TenantId, TenantId];
const html = '<p>Hello</p>';
/** 220 KB: every rule is tried on every element. On the API's own thread this took more than two minutes. */
const hostile = {
  subject: 'x',
  mjml:
    `<mjml><mj-head><mj-style inline="inline">${'a{b:c}'.repeat(18_000)}</mj-style></mj-head>` +
    `<mj-body><mj-raw>${'<a>x</a>'.repeat(14_000)}</mj-raw></mj-body></mjml>`,
};
let threads: TemplateThreads;
afterEach(() => threads.stop());

async function codeOf(job: Promise<unknown>): Promise<unknown> {
  const thrown: unknown = await job.catch((error: unknown) => error);
  return thrown instanceof AppError ? thrown.code : thrown;
}

test('a template that takes too long is refused, and neither blocks this thread nor the next job', async () => {
  threads = createTemplateThreads({ entry, limitMs: 1_000 });
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  expect(await codeOf(threads.run(one, 'compile', hostile))).toBe('invalid_template');
  clearInterval(timer);
  expect(turns).toBeGreaterThan(50);
  expect(await threads.run(one, 'compile', { subject: 'x', html })).toMatchObject({ kind: 'valid', html });
});

test('a tenant with many hostile templates holds one thread; its neighbour is served meanwhile', async () => {
  threads = createTemplateThreads({ entry, limitMs: 3_000 });
  const attacks = Array.from({ length: 10 }, () => codeOf(threads.run(one, 'compile', hostile)));
  expect(await Promise.race([attacks[0], threads.run(two, 'compile', { subject: 'x', html })])).toMatchObject(
    {
      kind: 'valid',
    },
  );
  // One runs, eight wait: the tenth is too many.
  expect(await attacks[9]).toBe('rate_limited');
  await threads.stop();
  expect(await attacks[8]).toBe('unavailable');
});

test('what nests deeper than the stack of a thread is an error of the template', async () => {
  threads = createTemplateThreads({ entry });
  const deep = { ...sampleSource, html: '{% if a %}'.repeat(9_900) + '{% endif %}'.repeat(9_900) };
  expect(await threads.run(one, 'check', deep)).toMatchObject([
    { field: 'html', detail: 'nested too deeply' },
  ]);
  expect(await threads.run(one, 'check', sampleSource)).toEqual([]);
});

test('rendered messages come back with the bytes they have in the thread', async () => {
  threads = createTemplateThreads({ entry });
  const order = { source: sampleSource, recipients: [sampleRecipient], context: sampleContext };
  const answer = await threads.run(one, 'render', order);
  if (answer.kind !== 'compiled') throw new Error('it does not compile');
  const { compiled, results } = restoreBuffers(answer);
  expect(compiled.segments.every((segment) => Buffer.isBuffer(segment))).toBe(true);
  expect(results).toMatchObject([{ kind: 'rendered', message: { to: sampleRecipient.email } }]);
});

function nextThread(): Promise<Worker> {
  return new Promise((resolve) => process.once('worker', resolve));
}

test('a thread that ended while it was idle is asked nothing: the next job gets a new one', async () => {
  threads = createTemplateThreads({ entry, limitMs: 1_000 });
  const started = nextThread();
  await threads.run(one, 'compile', { subject: 'x', html });
  const idle = await started;
  const ended = once(idle, 'exit');
  await idle.terminate();
  await ended;
  expect(await threads.run(one, 'compile', { subject: 'x', html })).toMatchObject({ kind: 'valid', html });
});

test('a job whose thread ends before it is ready is told so', async () => {
  threads = createTemplateThreads({ entry });
  const started = nextThread();
  const code = codeOf(threads.run(one, 'compile', { subject: 'x', html }));
  await (await started).terminate();
  expect(await code).toBe('unavailable');
});
