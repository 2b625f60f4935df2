/** What STARTTLS costs: the same campaign to our own sink with it and without, taking turns (smtp-sink has no TLS). */
import { findFreePort } from '../../scripts/demo/children.ts';
import { type BenchContext, send } from './context.ts';
import type { PipelineRun } from './pipeline-run.ts';
import { median, medianRate } from './statistics.ts';
import { startOwnSink } from './target.ts';

export interface TlsCost {
  readonly [tls: string]: {
    readonly perSecond: number;
    /** Of the send worker alone. */
    readonly sendCpuMicros: number;
    readonly runs: readonly PipelineRun[];
  };
}

export async function measureTls(context: BenchContext): Promise<TlsCost> {
  const { installation, plan } = context;
  const sink = await startOwnSink(await findFreePort());
  try {
    const transports: [string, string][] = [];
    for (const tls of ['none', 'starttls']) {
      const settings = { port: sink.port, tls, tls_verify: false };
      transports.push([tls, await installation.createTransport(settings)]);
    }
    const runs = await takeTurns(context, transports);
    return Object.fromEntries([...runs].map(([tls, of]) => [tls, costOf(of)]));
  } finally {
    sink.stop();
  }

  async function takeTurns(of: BenchContext, transports: readonly [string, string][]) {
    const runs = new Map<string, PipelineRun[]>();
    for (let round = 0; round < plan.sideRounds; round++) {
      for (const [tls, transportId] of transports) {
        const run = await send(of, { recipients: plan.sideRuns, transportId });
        runs.set(tls, [...(runs.get(tls) ?? []), run]);
        context.say(`tls ${tls}: ${Math.round(run.messages / run.seconds)}/s`);
      }
    }
    return runs;
  }
}

function costOf(runs: readonly PipelineRun[]): TlsCost[string] {
  const cpu = runs.map(({ usage, messages }) => ((usage.send?.cpuSeconds ?? 0) * 1e6) / messages);
  return { perSecond: medianRate(runs), sendCpuMicros: median(cpu), runs };
}
