/** One timed run of the whole pipeline: from the REST call that schedules a campaign to the ledger that has settled it. */
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient, Json } from '../../scripts/demo/api-client.ts';
import type { Child } from '../../scripts/demo/children.ts';
import { benchHtml } from './bench-message.ts';
import { readUsage, type UsageByName, usageBetween } from './process-usage.ts';

export interface PipelineRun {
  readonly messages: number;
  readonly seconds: number;
  /** From the call that schedules to the answer of the ledger, by process. */
  readonly usage: UsageByName;
  readonly perState: Readonly<Record<string, number>>;
}

/** A list of `recipients` made-up profiles, imported once and used by every run. */
export async function importRecipients(
  api: ApiClient,
  recipients: number,
): Promise<{ listId: string; seconds: number }> {
  const started = performance.now();
  const list = await api.post('/v1/lists', { name: 'Bench' });
  const { id } = await api.upload(
    `/v1/imports?format=csv&list_id=${list.id}`,
    'text/csv',
    Readable.from(csv(recipients)),
  );
  const imported = await waitFor(
    () => api.get(`/v1/imports/${id}`),
    ({ state }) => state === 'done' || state === 'failed',
  );
  if (imported.accepted !== recipients)
    throw new Error(`imported ${imported.accepted} of ${recipients}: ${imported.failure}`);
  return { listId: list.id, seconds: (performance.now() - started) / 1000 };
}

export interface PipelineRunOptions {
  readonly api: ApiClient;
  readonly listId: string;
  readonly transportId: string;
  readonly kilobytes: number;
  readonly children: readonly Child[];
}

export async function runPipeline(options: PipelineRunOptions): Promise<PipelineRun> {
  const { api, children } = options;
  const id = await createCampaign(options);
  const before = readAll(children);
  const started = performance.now();
  await api.post(`/v1/campaigns/${id}/schedule`, { send_at: 'now' });
  const campaign = await waitFor(
    () => api.get(`/v1/campaigns/${id}`),
    ({ state }) => state === 'sent' || state === 'failed',
  );
  const seconds = (performance.now() - started) / 1000;
  const usage = usageBetween(before, readAll(children));
  if (campaign.state !== 'sent') throw new Error(`the campaign ended ${campaign.state}`);
  const { recipients } = await api.get(`/v1/campaigns/${id}/progress`);
  const { total, ...states } = recipients;
  if (states.sent !== total) throw new Error(`not all were sent: ${JSON.stringify(recipients)}`);
  return { messages: total, seconds, usage, perState: states };
}

async function createCampaign({ api, listId, transportId, kilobytes }: PipelineRunOptions): Promise<string> {
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
    message: { from_email: 'shop@example.com' },
  });
  return campaign.id;
}

function* csv(recipients: number): Generator<Buffer> {
  yield Buffer.from('email,first_name,city,tier\n');
  for (let at = 0; at < recipients; at += 1_000) {
    const rows: string[] = [];
    for (let n = at; n < Math.min(at + 1_000, recipients); n++) {
      rows.push(`p${n}@example.com,Name${n},Lyon,${n % 5 === 0 ? 'gold' : ''}\n`);
    }
    yield Buffer.from(rows.join(''));
  }
}

function readAll(children: readonly Child[]): UsageByName {
  return Object.fromEntries(
    children.map(({ name, process: child }) => [name, readUsage(child.pid as number)]),
  );
}

const pollMs = 25;

async function waitFor(ask: () => Promise<Json>, isDone: (answer: Json) => boolean): Promise<Json> {
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    await pause(pollMs);
  }
}
