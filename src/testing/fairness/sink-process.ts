/** The scripted sink as a process of its own, and the hand on its control port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseDeliveryId } from '../../ledger/delivery-id.ts';
import { readAcceptedLog } from '../smtp-sink/accepted-message.ts';
import type { ProviderLimits } from '../smtp-sink/provider-gate.ts';
import type { SeriesSlot } from '../smtp-sink/provider-series.ts';
import type { Rule } from '../smtp-sink/rule.ts';
import type { SinkState } from '../smtp-sink/sink-state.ts';

/** A message that was taken, and whose it is: its Message-ID says it. */
export interface Taken {
  /** ms since 1970. */
  readonly at: number;
  readonly tenantId: number;
  readonly campaignId: number;
}

export interface SinkProcess {
  readonly port: number;
  setRules(rules: readonly Rule[]): Promise<void>;
  /** Lets all connections go on that a `stall` holds. */
  release(): Promise<void>;
  limitProvider(limits: ProviderLimits): Promise<void>;
  state(): Promise<SinkState>;
  series(sinceMs: number): Promise<Readonly<Record<string, readonly SeriesSlot[]>>>;
  /** All that was taken, in order. */
  taken(): Promise<readonly Taken[]>;
  stop(): Promise<void>;
}

export async function startSink(logFile: string): Promise<SinkProcess> {
  const script = new URL('../smtp-sink/main.js', import.meta.url).pathname;
  const options = ['--control-port', '0', '--log-file', logFile, '--memory', 'counters', '--exit-with-stdin'];
  const child = spawn(process.execPath, [script, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { port, controlPort } = JSON.parse(await firstLine(child)) as { port: number; controlPort: number };
  const control = `http://127.0.0.1:${controlPort}`;

  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${control}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { detail?: string };
    if (!response.ok) throw new Error(`sink: ${method} ${path}: ${answer.detail}`);
    return answer;
  }

  return {
    port,
    setRules: (rules) => ask('PUT', '/rules', rules),
    release: () => ask('POST', '/release'),
    limitProvider: (limits) => ask('POST', '/providers', limits),
    state: () => ask('GET', '/state'),
    series: (sinceMs) => ask('GET', `/series?since=${Math.floor(sinceMs)}`),
    taken: () => readTaken(logFile),
    stop: () => end(child),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the sink ended with ${code}`)));
  });
}

async function readTaken(logFile: string): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  try {
    for await (const { at, messageId } of readAcceptedLog(logFile)) {
      const key = parseDeliveryId(/<(dlv_[a-z0-9]+)\./i.exec(messageId)?.[1] ?? '');
      if (key) taken.push({ at, tenantId: key.tenantId, campaignId: key.campaignId });
    }
  } catch (error) {
    // Nothing was taken yet: there is no file.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return taken;
}

const endTimeoutMs = 5_000;

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await Promise.race([ended, pause(endTimeoutMs, undefined, { ref: false })]);
  child.kill('SIGKILL');
  await ended;
}
