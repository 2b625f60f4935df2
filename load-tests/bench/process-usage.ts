/** CPU time and peak memory of processes, from /proc; on systems without it, nothing is reported. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Usage {
  readonly cpuSeconds: number;
  /** Largest resident set so far. */
  readonly peakMb: number;
}

const ticksPerSecond = 100;

export function readUsage(pid: number): Usage | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    const peakKb = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { cpuSeconds: ticks / ticksPerSecond, peakMb: Math.round(Number(peakKb) / 1024) };
  } catch {
    return undefined;
  }
}

/** From now on the peak is that of what comes (proc(5), clear_refs); left alone where that is not allowed. */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    return;
  }
}

export type UsageByName = Readonly<Record<string, Usage | undefined>>;

export function readUsages(pids: Readonly<Record<string, number>>): UsageByName {
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, readUsage(pid)]));
}

/** What was used between two readings: CPU as a difference, memory as the later peak. */
export function usageBetween(before: UsageByName, after: UsageByName): UsageByName {
  return Object.fromEntries(
    Object.entries(after).map(([name, usage]) => [
      name,
      usage && { ...usage, cpuSeconds: usage.cpuSeconds - (before[name]?.cpuSeconds ?? 0) },
    ]),
  );
}

/** CPU µs a message, summed over the processes. */
export function microsPerMessage(usage: UsageByName, messages: number): number {
  const seconds = Object.values(usage).reduce((sum, used) => sum + (used?.cpuSeconds ?? 0), 0);
  return (seconds * 1e6) / messages;
}
