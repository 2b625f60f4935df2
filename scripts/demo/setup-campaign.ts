/** What a user would do before pressing "send": all of it over the REST API. */
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { audienceAddresses, audienceCsv } from '../demo-data/audience.ts';
import { readBlackFriday } from '../demo-data/black-friday.ts';
import type { ApiClient, Json } from './api-client.ts';

/** One in this many recipients has asked not to be written to. */
const suppressedEvery = 250;
const largestSuppression = 1_000;

export async function setUpCampaign(
  api: ApiClient,
  options: { recipients: number; smtpPort: number; say: (line: string) => void },
) {
  const { recipients, smtpPort, say } = options;
  const list = await api.post('/v1/lists', { name: 'Newsletter' });
  const { imported, importSeconds } = await importAudience(api, list.id, recipients);
  say(
    `imported ${imported.accepted} rows in ${importSeconds.toFixed(1)} s, ${imported.rejected} rejected; first reasons:`,
  );
  for (const error of (await api.get(`/v1/imports/${imported.id}/errors?page_size=3`)).data) {
    say(`  line ${error.line}: ${error.field ?? 'row'} ${error.detail}`);
  }
  const suppressed = await suppressSome(api, recipients);
  const template = await createTemplate(api);
  const transport = await createTransport(api, smtpPort);
  const campaign = await api.post('/v1/campaigns', {
    name: 'Black Friday',
    audience: { included_lists: [list.id] },
    template_id: template.id,
    transport_id: transport.id,
    message: {
      from_email: 'hello@shop.example.com',
      from_name: 'Lumière & Co',
      reply_to: 'care@shop.example.com',
    },
  });
  const estimate = await api.post(`/v1/campaigns/${campaign.id}/estimate`);
  say(`template compiled; transport verified; estimate: ${JSON.stringify(estimate)}`);
  return { campaignId: campaign.id as string, imported, importSeconds, suppressed };
}

async function importAudience(api: ApiClient, listId: string, recipients: number) {
  const started = performance.now();
  const body = Readable.from(audienceCsv({ recipients }));
  const { id } = await api.upload(`/v1/imports?format=csv&list_id=${listId}`, 'text/csv', body);
  for (;;) {
    const imported = await api.get(`/v1/imports/${id}`);
    if (imported.state === 'done') return { imported, importSeconds: (performance.now() - started) / 1000 };
    if (imported.state === 'failed') throw new Error(`the import failed: ${imported.failure}`);
    await pause(100);
  }
}

async function suppressSome(api: ApiClient, recipients: number): Promise<number> {
  const emails: string[] = [];
  let index = 0;
  for (const address of audienceAddresses({ recipients }))
    if (index++ % suppressedEvery === 0) emails.push(address);
  for (let at = 0; at < emails.length; at += largestSuppression) {
    await api.post('/v1/suppressions', { emails: emails.slice(at, at + largestSuppression) });
  }
  return emails.length;
}

async function createTemplate(api: ApiClient): Promise<Json> {
  const { subject, preheader, mjml } = await readBlackFriday();
  return api.post('/v1/templates', { name: 'Black Friday', subject, preheader, mjml });
}

async function createTransport(api: ApiClient, port: number): Promise<Json> {
  const transport = await api.post('/v1/transports', {
    name: 'Local sink',
    settings: { host: '127.0.0.1', port, tls: 'none' },
    limits: { max_connections: 10, messages_per_connection: 1000 },
    destination_mode: 'provider',
  });
  const verification = await api.post(`/v1/transports/${transport.id}/verify`);
  if (!verification.ok)
    throw new Error(`the transport does not work: ${JSON.stringify(verification.failure)}`);
  return transport;
}
