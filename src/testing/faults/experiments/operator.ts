/** What people do to a campaign in flight takes effect within two seconds, and once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eraseProfile } from '../../../audience/profile-erasure.ts';
import { getCampaign } from '../../../campaigns/known-campaign.ts';
import {
  cancelCampaign,
  pauseCampaign,
  resumeCampaign,
  scheduleCampaign,
  unscheduleCampaign,
} from '../../../campaigns/transition-store.ts';
import type { ProfileId } from '../../../ids.ts';
import { deliveryStates } from '../../../ledger/states.ts';
import type { TestCampaign } from '../../test-campaign.ts';
import type { Experiment } from '../experiment.ts';
import { longLease } from '../settings.ts';
import type { Trial } from '../trial.ts';

const common = { group: 'operator', settings: longLease, mostSettled: 0 } as const;
const takesEffectMs = 2_000;
const recipients = 1_500;

const keyOf = ({ tenantId, campaignId }: TestCampaign) => ({ tenantId, id: campaignId });

async function underLoad(trial: Trial, slowMs?: number): Promise<TestCampaign> {
  trial.slowDown(slowMs);
  const campaign = await trial.launch(recipients);
  await trial.waitForAccepted(200);
  return campaign;
}

const paused: Experiment = {
  ...common,
  name: 'pause and resume in flight',
  injected: 'pause in flight; nothing for 4 s; resume',
  expected: 'no message later than 2 s after the pause; all after the resume',
  async run(trial) {
    const campaign = await underLoad(trial);
    await pauseCampaign(trial.installation.db, keyOf(campaign));
    await sleep(takesEffectMs);
    await trial.assertSilence(2_000);
    await resumeCampaign(trial.installation.db, keyOf(campaign));
    trial.healed();
  },
  recoversWithinMs: 20_000,
};

const cancelled: Experiment = {
  ...common,
  name: 'cancel in flight',
  injected: 'cancel in flight',
  expected: 'no message later than 2 s after it; the rest is cancelled',
  async run(trial) {
    const campaign = await underLoad(trial);
    await cancelCampaign(trial.installation.db, keyOf(campaign));
    await sleep(takesEffectMs);
    await trial.assertSilence(1_500);
    trial.healed();
    await trial.waitForEnd();
    const left = await trial.count(deliveryStates.cancelled);
    if (left === 0) throw new Error('nothing was cancelled: the campaign was over');
  },
};

/** One connection that takes its time: what is ready waits long enough to be caught by the pause. */
const pausedBehindSlowServer: Experiment = {
  ...common,
  name: 'pause behind a slow server',
  injected: 'pause while ready messages wait for two connections of a server that takes 700 ms for each',
  expected: 'no message starts later than 2 s after the pause',
  async run(trial) {
    trial.slowDown(700);
    const campaign = await trial.launch(40, { limits: { maxConnections: 2 } });
    await trial.waitForAccepted(6);
    await pauseCampaign(trial.installation.db, keyOf(campaign));
    await sleep(takesEffectMs + 700);
    await trial.assertSilence(2_500);
    trial.sink.setRules([]);
    await resumeCampaign(trial.installation.db, keyOf(campaign));
    trial.healed();
  },
};

const suppressed: Experiment = {
  ...common,
  name: 'suppression in flight',
  injected: 'every address of the audience suppressed in flight',
  expected: 'no message later than 2 s after it; the rest is suppressed',
  async run(trial) {
    const { tenantId } = await underLoad(trial);
    await trial.installation.db.write(
      `INSERT INTO suppressions (tenant_id, address_hash, scope, reason, source, at)
       SELECT tenant_id, email_hash, '*', 'manual', 'test', NOW(3) FROM profiles WHERE tenant_id = ?`,
      [tenantId],
    );
    await sleep(takesEffectMs);
    await trial.assertSilence(1_000);
    trial.healed();
  },
};

/** Every tenth of the audience: some are on their way, most are not. So slowly that what is rendered already waits for longer than 2 s. */
const erased: Experiment = {
  ...common,
  name: 'profiles erased in flight',
  injected: 'every tenth profile of the audience erased in flight',
  expected: 'no message to them later than 2 s after it; all others are sent',
  async run(trial) {
    const { tenantId } = await underLoad(trial, 100);
    const { db } = trial.installation;
    const profiles = await db.rows<{ id: ProfileId; email: string }>(
      'SELECT id, email FROM profiles WHERE tenant_id = ? AND id % 10 = 0',
      [tenantId],
    );
    const erasedAt = new Map<string, number>();
    for (const { id, email } of profiles) {
      await eraseProfile(db, { tenantId, id });
      erasedAt.set(email, Date.now());
    }
    trial.healed();
    await trial.waitForEnd();
    const { log } = trial.sink.accepted();
    const late = log.filter(({ at, to }) => at > (erasedAt.get(to[0]!) ?? Infinity) + takesEffectMs);
    if (late.length > 0) throw new Error(`${late.length} messages to people who were erased`);
    const spared = [...erasedAt.keys()].filter((email) => !trial.sink.accepted().byAddress.has(email));
    if (spared.length === 0) throw new Error('all had their message already: the campaign was over');
    const others = log.filter(({ to }) => !erasedAt.has(to[0]!)).length;
    if (others !== recipients - profiles.length) throw new Error(`${others} others were sent`);
  },
};

/** Eight at once, of which one finds the version it has seen. */
const scheduledTwice: Experiment = {
  ...common,
  name: 'scheduled eight times at once',
  injected: 'a draft scheduled by eight requests at the same time, with two schedulers',
  expected: 'one succeeds; one copy each',
  workers: { scheduler: 0 },
  async run(trial) {
    const { db } = trial.installation;
    const campaign = await trial.launch(400);
    await unscheduleCampaign(db, keyOf(campaign));
    const seen = await getCampaign(db, keyOf(campaign));
    const plan = { part: seen.part, sendAt: null, templateVersion: 1, estimatedRecipients: 400 };
    const results = await Promise.all(Array.from({ length: 8 }, () => scheduleCampaign(db, seen, plan)));
    const won = results.filter(Boolean).length;
    if (won !== 1) throw new Error(`${won} of 8 requests scheduled it`);
    await Promise.all([trial.fleet.start('scheduler'), trial.fleet.start('scheduler')]);
    trial.healed();
  },
};

export const operator: readonly Experiment[] = [
  paused,
  pausedBehindSlowServer,
  cancelled,
  suppressed,
  erased,
  scheduledTwice,
];
