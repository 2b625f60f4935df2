/** The API over HTTP as part of what fails: it is killed in the middle of calls, and its clients ask again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryStates } from '../../../ledger/states.ts';
import { waitFor } from '../../wait-for.ts';
import type { Experiment } from '../experiment.ts';
import { createImpatientClient, draftOf, type ImpatientClient } from '../impatient-client.ts';
import { type ProxyRule, statement } from '../proxy-rule.ts';
import { longLease } from '../settings.ts';
import { edgeTimeoutMs, type Trial } from '../trial.ts';

const common = {
  group: 'operator',
  settings: longLease,
  workers: { api: 1 },
  mostSettled: 0,
  recoversWithinMs: 20_000,
  // A killed call's key is free again after its lock; nobody has half a minute here.
  edits: [
    { file: 'src/http/idempotency.js', find: 'const lockSeconds = 30;', replace: 'const lockSeconds = 2;' },
  ],
} as const;
const takesEffectMs = 2_000;
const atOnce = 4;

interface Submitting {
  readonly client: ImpatientClient;
  readonly draft: object;
}

async function openShop(trial: Trial, recipients: number): Promise<Submitting> {
  const owner = await trial.openOwner(recipients);
  const client = await createImpatientClient(trial.installation, owner);
  const html = '<p>Hello</p><a href="{{ unsubscribe_url }}">stop</a>';
  // On a machine that is busy, its first compilation may take longer than a thread is given.
  const template = await waitFor('a template', async () => {
    const reply = await client.post('/v1/templates', { name: 'T', subject: 'Hello', html });
    return reply.status === 201 && reply;
  });
  return { client, draft: { ...draftOf(owner), template_id: template.body.id } };
}

/** Makes the calls, and kills the API when the first of them has come to the edge; another takes its place. */
async function killDuring<T>(trial: Trial, rule: ProxyRule, calls: () => Promise<T>): Promise<T> {
  const edge = trial.rule('api', 'mysql', rule);
  const calling = calls();
  calling.catch(() => undefined);
  await edge.waitForHit(edgeTimeoutMs);
  await trial.kill('api');
  // What is held must not reach the server behind its back.
  trial.installation.proxies.api.mysql.cutAll();
  trial.installation.healProxies();
  await trial.fleet.start('api');
  return calling;
}

function each<T>(call: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: atOnce }, (_, i) => call(i)));
}

async function assertOneCampaign(trial: Trial): Promise<void> {
  const rows = await trial.installation.db.rows('SELECT 1 FROM campaigns WHERE tenant_id IN (?)', [
    trial.tenantIds,
  ]);
  if (rows.length !== 1) throw new Error(`${rows.length} campaigns of one submission`);
}

const submitted: Experiment = {
  ...common,
  name: 'submitted four times at once',
  injected:
    'a campaign created and scheduled by four clients with one Idempotency-Key, each asking again after four seconds; SIGKILL of the API before the campaign is written, and when it is scheduled, before the reply',
  expected: 'one campaign, one copy each; nothing lost, doubled or in doubt',
  async run(trial) {
    const { client, draft } = await openShop(trial, 400);
    const created = await killDuring(
      trial,
      { action: 'holdRequest', matches: statement(/INSERT INTO campaigns/) },
      () => each(() => client.post('/v1/campaigns', draft, 'one')),
    );
    const ids = created.map(({ body }) => String(body.id));
    await killDuring(
      trial,
      {
        action: 'holdReply',
        matches: statement(/UPDATE campaigns FORCE INDEX \(PRIMARY\) SET state = 'scheduled'/),
      },
      () => each((i) => client.post(`/v1/campaigns/${ids[i]}/schedule`, { send_at: 'now' })),
    );
    trial.healed();
    await assertOneCampaign(trial);
  },
};

const stopped: Experiment = {
  ...common,
  name: 'paused and cancelled over REST',
  injected:
    'a campaign in flight paused, resumed and cancelled over REST; SIGKILL of the API when the pause and the cancellation are written, before the reply; the client asks again',
  expected: 'no message later than 2 s after each reply; the rest is cancelled',
  async run(trial) {
    const { client, draft } = await openShop(trial, 1_500);
    trial.slowDown();
    const { body } = await client.post('/v1/campaigns', draft);
    const act = (action: string, more?: object) => client.post(`/v1/campaigns/${body.id}/${action}`, more);
    await act('schedule', { send_at: 'now' });
    await trial.waitForAccepted(200);
    const pausing = statement(/paused_at = COALESCE/);
    await killDuring(trial, { action: 'holdReply', matches: pausing }, () => act('pause'));
    await assertStopped(trial);
    await act('resume');
    await trial.waitForAccepted(400);
    const cancelling = statement(/state = 'cancelled'\s+WHERE/);
    await killDuring(trial, { action: 'holdReply', matches: cancelling }, () => act('cancel'));
    await assertStopped(trial);
    trial.healed();
    await trial.waitForEnd();
    if ((await trial.count(deliveryStates.cancelled)) === 0) throw new Error('nothing was cancelled');
  },
};

async function assertStopped(trial: Trial): Promise<void> {
  await sleep(takesEffectMs);
  await trial.assertSilence(1_500);
}

export const api: readonly Experiment[] = [submitted, stopped];
