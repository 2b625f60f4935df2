/**
 * What is done with sources that a tenant wrote: compiling, checking and showing them. A few hundred KB of hostile MJML
 * take minutes, so the API does none of it on its own thread (template-threads.ts). Everything that goes in and comes
 * out can be cloned between threads; no job throws for what is in a source.
 */
import type { TenantId } from '../ids.ts';
import { compileMessage } from '../render/compile.ts';
import type { CompiledMessage, MessagePart } from '../render/message.ts';
import { type PreviewResult, previewMessage } from '../render/preview.ts';
import type { Recipient, RenderContext } from '../render/recipient.ts';
import { type RenderResult, renderRecipient } from '../render/render.ts';
import type { MessageSource, SourceError } from '../render/source.ts';
import { compileTemplate } from './compile-template.ts';

export interface RenderOrder {
  readonly source: MessageSource;
  readonly recipients: readonly Recipient[];
  readonly context: RenderContext;
}

export interface PreviewOrder {
  readonly source: MessageSource;
  readonly recipient: Recipient;
  readonly context: RenderContext;
}

interface Invalid {
  readonly kind: 'invalid';
  readonly errors: readonly SourceError[];
}

export interface RenderedMessages {
  readonly kind: 'compiled';
  readonly compiled: CompiledMessage;
  /** One per recipient, in their order. */
  readonly results: readonly RenderResult[];
}

export const templateJobs = {
  compile: compileTemplate,
  check(source: MessageSource): readonly SourceError[] {
    const result = compileMessage(source);
    return result.kind === 'invalid' ? result.errors : [];
  },
  preview({ source, recipient, context }: PreviewOrder): PreviewResult | Invalid {
    const result = compileMessage(source);
    return result.kind === 'invalid' ? result : previewMessage(result.message, recipient, context);
  },
  render({ source, recipients, context }: RenderOrder): RenderedMessages | Invalid {
    const result = compileMessage(source);
    if (result.kind === 'invalid') return result;
    const results = recipients.map((recipient) => renderRecipient(result.message, recipient, context));
    return { kind: 'compiled', compiled: result.message.message, results };
  },
} as const;

type Jobs = typeof templateJobs;
export type JobName = keyof Jobs;
export type JobInput<K extends JobName> = Parameters<Jobs[K]>[0];
export type JobResult<K extends JobName> = Awaited<ReturnType<Jobs[K]>>;

/** Throws `invalid_template` for a source that takes too long or too much memory, `rate_limited` when too many wait. */
export type RunTemplateJob = <K extends JobName>(
  tenantId: TenantId,
  name: K,
  input: JobInput<K>,
) => Promise<JobResult<K>>;

/** On the caller's own thread, without a bound: for tests, and inside the threads themselves. */
export const runHere: RunTemplateJob = <K extends JobName>(
  _tenantId: TenantId,
  name: K,
  input: JobInput<K>,
) => {
  const job = templateJobs[name] as unknown as (given: JobInput<K>) => JobResult<K> | Promise<JobResult<K>>;
  return Promise.resolve(input).then(job) as Promise<JobResult<K>>;
};

/** Bytes come out of a thread as plain arrays. */
export function restoreBuffers({ kind, compiled, results }: RenderedMessages): RenderedMessages {
  return {
    kind,
    compiled: { ...compiled, segments: compiled.segments.map(toBuffer) },
    results: results.map((result) =>
      result.kind === 'skipped'
        ? result
        : { kind: 'rendered', message: { ...result.message, parts: result.message.parts.map(toPart) } },
    ),
  };
}

function toPart(part: MessagePart): MessagePart {
  return typeof part === 'number' ? part : toBuffer(part);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
