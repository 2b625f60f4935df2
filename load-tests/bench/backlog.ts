/**
 * How much Redis holds while so many wait, and how fast a campaign is expanded. Send workers are frozen (SIGSTOP) and the dispatcher is until all is expanded:
 * then it fills the belt as far as it may, and what lies there then is all there is. Then the campaign is cancelled.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { cleanRedis } from '../../scripts/demo/clean-redis.ts';
import type { BenchContext } from './context.ts';
import { createCampaign, waitFor, whenCancelled } from './pipeline-run.ts';
import { forgetPeak, readUsage } from './process-usage.ts';

export interface Backlog {
  readonly recipients: number;
  readonly redisBytes: number;
  readonly redisKeys: number;
  readonly expandPerSecond: number;
  readonly expandCpuMicros: number;
  readonly schedulerPeakMb: number | undefined;
}

export async function measureBacklogs(context: BenchContext): Promise<readonly Backlog[]> {
  const redis = new Redis(process.env.REDIS_URL as string);
  const backlogs: Backlog[] = [];
  try {
    for (const recipients of context.plan.backlogSizes) {
      const backlog = await measureBacklog(context, redis, recipients);
      context.say(
        `${recipients} pending: ${(backlog.redisBytes / 1024).toFixed(0)} KB in Redis; expanded ${Math.round(backlog.expandPerSecond)}/s`,
      );
      backlogs.push(backlog);
    }
  } finally {
    redis.disconnect();
  }
  return backlogs;
}

async function measureBacklog(context: BenchContext, redis: Redis, recipients: number): Promise<Backlog> {
  const { installation, lists } = context;
  const { listId } = await lists(recipients);
  // What earlier campaigns left is not of this backlog (Redis may be emptied at any moment). The belt is as long as the destination's window, which is learnt: each
  // backlog gets a destination of its own, so that the window is that of the beginning for all.
  await cleanRedis(process.env.REDIS_URL as string, installation.redisPrefix);
  const transportId = await installation.createTransport({ port: installation.target.port, tls: 'none' });
  const id = await createCampaign({ installation, listId, transportId, kilobytes: 10 });
  const senders = installation.processes.filter(({ name }) => name.startsWith('send'));
  const dispatcher = installation.process('dispatcher');
  for (const child of [...senders, dispatcher]) child.process.kill('SIGSTOP');
  try {
    const expansion = await expand(context, id, recipients);
    dispatcher.process.kill('SIGCONT');
    const held = await settledMemory(redis, installation.redisPrefix);
    return { recipients, ...held, ...expansion };
  } finally {
    await installation.api.post(`/v1/campaigns/${id}/cancel`);
    for (const child of [...senders, dispatcher]) child.process.kill('SIGCONT');
    await whenCancelled(installation.api, id);
  }
}

async function expand({ installation }: BenchContext, id: string, recipients: number) {
  const { api } = installation;
  const pid = installation.process('scheduler').process.pid as number;
  forgetPeak(pid);
  const before = readUsage(pid);
  const started = performance.now();
  await api.post(`/v1/campaigns/${id}/schedule`, { send_at: 'now' });
  await waitFor(
    () => api.get(`/v1/campaigns/${id}/progress`),
    ({ recipients: { total }, total_is_final }) => total >= recipients || total_is_final === true,
  );
  const seconds = (performance.now() - started) / 1000;
  const after = readUsage(pid);
  const cpuSeconds = (after?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0);
  return {
    expandPerSecond: recipients / seconds,
    expandCpuMicros: (cpuSeconds * 1e6) / recipients,
    schedulerPeakMb: after?.peakMb,
  };
}

const sampleMs = 400;
const samplesAlike = 10;
const mostSamples = 50;

/** Bytes of all keys under the prefix, once they have stood still for some seconds; sooner than what was dispatched is taken back (LEASE_MS). */
async function settledMemory(redis: Redis, prefix: string) {
  let last = { redisBytes: -1, redisKeys: 0 };
  for (let alike = 0, samples = 0; alike < samplesAlike && samples < mostSamples; samples++) {
    const next = await readMemory(redis, prefix);
    const isAlike = next.redisKeys > 0 && Math.abs(next.redisBytes - last.redisBytes) < last.redisBytes / 200;
    alike = isAlike ? alike + 1 : 0;
    last = next;
    await pause(sampleMs);
  }
  return last;
}

async function readMemory(redis: Redis, prefix: string) {
  let [redisBytes, redisKeys] = [0, 0];
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
    const pipeline = redis.pipeline();
    for (const key of keys as string[]) pipeline.memory('USAGE', key, 'SAMPLES', 0);
    const sizes = (await pipeline.exec()) ?? [];
    for (const [, bytes] of sizes) redisBytes += Number(bytes ?? 0);
    redisKeys += (keys as string[]).length;
  }
  return { redisBytes, redisKeys };
}
