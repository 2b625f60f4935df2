/**
 * Template jobs on worker threads, each with a hard limit of time and memory: a thread that runs over is ended, and the
 * next job gets a new one. A check inside the compilers would not do: MJML and its parsers are not ours.
 *
 * A tenant has at most one job running, so that one that sends nothing but hostile templates holds one thread and
 * leaves the other. Threads start with the first job and stay.
 */
import type { Worker } from 'node:worker_threads';
import { AppError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Lifecycle } from '../platform/lifecycle.ts';
import { endedUnasked, IdleThreads } from './idle-threads.ts';
import type { JobName, JobResult, RunTemplateJob } from './template-jobs.ts';

export interface TemplateThreads extends Lifecycle {
  readonly run: RunTemplateJob;
}

export interface TemplateThreadsOptions {
  /** The compiled template-thread.ts. */
  readonly entry?: URL;
  readonly threads?: number;
  readonly limitMs?: number;
}

interface Job {
  readonly tenantId: TenantId;
  readonly name: JobName;
  readonly input: unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'broken'; readonly error: unknown };

/** A real template takes a tenth of a second, the largest a second or two. */
const defaultLimitMs = 5_000;
const maxWaitingPerTenant = 8;
const maxWaiting = 200;

export function createTemplateThreads(options: TemplateThreadsOptions = {}): TemplateThreads {
  const { threads = 2, limitMs = defaultLimitMs } = options;
  const entry = options.entry ?? new URL('./template-thread.js', import.meta.url);
  const waiting: Job[] = [];
  const running = new Set<TenantId>();
  const idle = new IdleThreads(entry);

  function next(): void {
    if (running.size >= threads) return;
    const at = waiting.findIndex(({ tenantId }) => !running.has(tenantId));
    const [job] = at < 0 ? [] : waiting.splice(at, 1);
    if (!job) return;
    running.add(job.tenantId);
    void work(job)
      .then(job.resolve, job.reject)
      .finally(() => {
        running.delete(job.tenantId);
        next();
      });
  }

  async function work(job: Job): Promise<unknown> {
    const thread = await idle.take();
    try {
      const value = await ask(thread, job, limitMs);
      idle.giveBack(thread);
      return value;
    } catch (error) {
      await thread.terminate();
      throw error;
    }
  }

  return {
    async run(tenantId, name, input) {
      assertRoom(waiting, tenantId);
      return (await new Promise<unknown>((resolve, reject) => {
        waiting.push({ tenantId, name, input, resolve, reject });
        next();
      })) as JobResult<typeof name>;
    },
    async start() {},
    async stop() {
      for (const job of waiting.splice(0)) job.reject(new AppError('unavailable'));
      await idle.endAll();
    },
  };
}

function assertRoom(waiting: readonly Job[], tenantId: TenantId): void {
  const own = waiting.filter((job) => job.tenantId === tenantId).length;
  if (own >= maxWaitingPerTenant) {
    const detail = `${own} templates of this tenant are waiting to be compiled`;
    throw new AppError('rate_limited', { detail, retryAfterSeconds: 2 });
  }
  if (waiting.length >= maxWaiting) throw new AppError('unavailable', { retryAfterSeconds: 5 });
}

function ask(thread: Worker, { name, input }: Job, limitMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: ThreadMessage) =>
      settle(() => (message.kind === 'done' ? resolve(message.value) : reject(toBug(message))));
    const onError = (error: Error & { code?: string }) =>
      settle(() => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch('too much memory') : error));
    const onExit = () => settle(() => reject(endedUnasked()));
    const timer = setTimeout(() => settle(() => reject(tooMuch(`longer than ${limitMs / 1000} s`))), limitMs);
    function settle(answer: () => void): void {
      clearTimeout(timer);
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      answer();
    }
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    thread.postMessage({ name, input });
  });
}

function tooMuch(what: string): AppError {
  return new AppError('invalid_template', { detail: `Compiling the template takes ${what}` });
}

function toBug(message: ThreadMessage): unknown {
  return message.kind === 'broken' ? message.error : new Error(`a template thread said ${message.kind}`);
}
