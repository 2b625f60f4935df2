import type { ProviderCounts } from './provider-gate.ts';
import type { RuleState } from './rule.ts';
import type { Connections, SmtpSink } from './sink.ts';

/** Everything about a sink that fits into one JSON document, whatever its size. */
export interface SinkState {
  readonly port: number;
  readonly accepted: {
    readonly messages: number;
    readonly recipients: number;
    readonly bytes: number;
    readonly byDomain: Readonly<Record<string, number>>;
    /** Addresses that got more than one message; always 0 with memory `counters`. */
    readonly duplicates: number;
  };
  readonly connections: Connections;
  readonly rules: readonly RuleState[];
  readonly providers: Readonly<Record<string, ProviderCounts>>;
  /** The sink's process, since its start. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export function stateOf(sink: SmtpSink): SinkState {
  const { user, system } = process.cpuUsage();
  return {
    port: sink.port,
    accepted: describeAccepted(sink),
    connections: sink.connections,
    rules: sink.rules(),
    providers: sink.providers(),
    cpuMs: (user + system) / 1000,
    rssBytes: process.memoryUsage.rss(),
  };
}

function describeAccepted(sink: SmtpSink): SinkState['accepted'] {
  const accepted = sink.accepted();
  const { messages, recipients, bytes } = accepted;
  const byDomain = Object.fromEntries(accepted.byDomain);
  return { messages, recipients, bytes, byDomain, duplicates: accepted.duplicates().length };
}
