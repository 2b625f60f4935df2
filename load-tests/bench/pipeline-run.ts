/** One timed run of the whole pipeline: from the REST call that schedules a campaign to the ledger that has settled it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../../scripts/demo/api-client.ts';
import { benchHtml } from './bench-message.ts';
import type { Installation } from './installation.ts';
import { forgetPeak, microsPerMessage, readUsages, type UsageByName, usageBetween } from './process-usage.ts';

export interface PipelineRun {
  readonly messages: number;
  readonly seconds: number;
  /** From the call that schedules to the answer of the ledger, by process. */
  readonly usage: UsageByName;
  /** Of the pipeline's own processes together. */
  readonly cpuMicros: number;
  /** Of MySQL, Redis and the target, where they run here: with whatever else they did meanwhile. */
  readonly serverUsage: UsageByName;
  readonly perState: Readonly<Record<string, number>>;
}

export interface PipelineRunOptions {
  readonly installation: Installation;
  readonly listId: string;
  /** Default: the installation's own, without TLS. */
  readonly transportId?: string;
  readonly kilobytes: number;
  /** Default: of a domain without a DKIM key. */
  readonly fromEmail?: string;
  /** Default: as fast as it goes. */
  readonly maxPerMinute?: number;
}

export async function runPipeline(options: PipelineRunOptions): Promise<PipelineRun> {
  const { installation } = options;
  const { api } = installation;
  const id = await createCampaign(options);
  const own = Object.fromEntries(
    installation.processes.map((child) => [child.name, child.process.pid as number]),
  );
  const others = { ...installation.servers, target: installation.target.pid };
  Object.values(own).forEach(forgetPeak);
  const before = readUsages({ ...own, ...others });
  const started = performance.now();
  const startedAt = Date.now();
  await api.post(`/v1/campaigns/${id}/schedule`, { send_at: 'now' });
  const campaign = await waitFor(
    () => api.get(`/v1/campaigns/${id}`),
    ({ state }) => state === 'sent' || state === 'failed',
    askEveryMs,
  );
  // The ledger's own word, where its clock is this machine's: asking costs, so it is not asked often.
  const asked = performance.now() - started;
  const seconds =
    Math.min(asked, Math.max(Date.parse(campaign.finished_at) - startedAt, asked - askEveryMs)) / 1000;
  const usage = usageBetween(before, readUsages(own));
  const serverUsage = usageBetween(before, readUsages(others));
  if (campaign.state !== 'sent') throw new Error(`the campaign ended ${campaign.state}`);
  const { recipients } = await api.get(`/v1/campaigns/${id}/progress`);
  const { total, ...states } = recipients;
  if (states.sent !== total) throw new Error(`not all were sent: ${JSON.stringify(recipients)}`);
  const cpuMicros = microsPerMessage(usage, total);
  return { messages: total, seconds, usage, cpuMicros, serverUsage, perState: states };
}

export async function createCampaign(options: PipelineRunOptions): Promise<string> {
  const { installation, listId, kilobytes, transportId = installation.transportId } = options;
  const { fromEmail = 'shop@example.com', maxPerMinute = null } = options;
  const { api } = installation;
  const template = await api.post('/v1/templates', {
    name: `Bench ${kilobytes} KB`,
    subject: 'Hello {{ profile.first_name }}',
    html: benchHtml(kilobytes),
  });
  const campaign = await api.post('/v1/campaigns', {
    name: `Bench ${kilobytes} KB`,
    audience: { included_lists: [listId] },
    template_id: template.id,
    transport_id: transportId,
    message: { from_email: fromEmail },
    max_per_minute: maxPerMinute,
  });
  return campaign.id;
}

/** Once a cancelled campaign has nothing on the wire and its counters are settled. */
export async function whenCancelled(api: Installation['api'], id: string): Promise<void> {
  await waitFor(
    () => api.get(`/v1/campaigns/${id}`),
    ({ state, settling }) => state === 'cancelled' && !settling,
  );
}

/** Someone who watches a campaign; each look costs the API and MySQL some milliseconds. */
const askEveryMs = 500;
const pollMs = 200;

export async function waitFor(
  ask: () => Promise<Json>,
  isDone: (answer: Json) => boolean,
  everyMs = pollMs,
): Promise<Json> {
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    await pause(everyMs);
  }
}
