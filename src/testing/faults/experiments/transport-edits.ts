/** A transport edited while it sends: the new version is in use within two seconds, in every worker. */
import { createSecretBox } from '../../../platform/secret-box.ts';
import { sealTransportSecret } from '../../../transport-settings/transport-secrets.ts';
import {
  findOwnTransport,
  type TransportFields,
  updateTransport,
} from '../../../transport-settings/transport-store.ts';
import { transportLimits } from '../../../transports/smtp-settings.ts';
import type { TestCampaign } from '../../test-campaign.ts';
import type { Experiment } from '../experiment.ts';
import { longLease } from '../settings.ts';
import { edgeTimeoutMs, type Trial } from '../trial.ts';

const common = { group: 'operator', settings: longLease, mostSettled: 0, recoversWithinMs: 20_000 } as const;
const takesEffectMs = 2_000;

/** As the API does it. */
async function editTransport(trial: Trial, campaign: TestCampaign, fields: Partial<TransportFields>) {
  const { db } = trial.installation;
  const seen = await findOwnTransport(db, campaign.tenantId, campaign.transportId);
  if (!seen || !(await updateTransport(db, seen, { ...seen, ...fields })))
    throw new Error('the transport could not be edited');
}

const fast = 200;
const slow = 20;
const measuredSeconds = 3;
/** The rate, and a second's worth of tokens that were taken ahead. */
const mostAtSlow = slow * (measuredSeconds + 1);

const lowered: Experiment = {
  ...common,
  name: 'limits lowered in flight',
  injected: `a limit of ${fast} messages a second lowered to ${slow} in flight, and taken away after 5 s; two send workers`,
  expected: `from 2 s on at most ${mostAtSlow} in ${measuredSeconds} s, and not none; nothing lost, doubled or in doubt`,
  workers: { send: 2 },
  async run(trial) {
    const campaign = await trial.launch(1_200, { limits: { perSecond: fast } });
    await trial.waitForAccepted(200);
    await editTransport(trial, campaign, { limits: transportLimits.parse({ perSecond: slow }) });
    await trial.pause(takesEffectMs);
    const before = trial.sink.accepted().messages;
    await trial.pause(measuredSeconds * 1_000);
    const sent = trial.sink.accepted().messages - before;
    if (sent > mostAtSlow || sent === 0) throw new Error(`${sent} messages in ${measuredSeconds} s`);
    await editTransport(trial, campaign, { limits: transportLimits.parse({}) });
    trial.healed();
  },
};

const user = 'shop';
const oldPassword = 'old password';
const newPassword = 'new password';

const rotated: Experiment = {
  ...common,
  name: 'secret rotated in flight',
  injected: 'the server takes only a new password from now on; the transport gets it 2 s later',
  expected: 'sending resumes by itself; nothing lost, doubled or in doubt',
  sink: { requireAuth: true, credentials: { user, pass: oldPassword } },
  async run(trial) {
    trial.slowDown();
    const campaign = await trial.launch(800, {
      smtpSettings: { auth: { username: user } },
      secret: { password: oldPassword },
      limits: { messagesPerConnection: 10 },
    });
    await trial.waitForAccepted(200);
    trial.sink.setCredentials({ user, pass: newPassword });
    // Connections that have logged in finish their share; then nobody gets in.
    await trial.sink.waitForConnections(0, { timeoutMs: edgeTimeoutMs });
    await trial.assertSilence(takesEffectMs);
    const box = createSecretBox(trial.installation.keys.secrets);
    const place = { owner: campaign.tenantId, id: campaign.transportId };
    const secret = sealTransportSecret(box, place, { password: newPassword });
    await editTransport(trial, campaign, { secret });
    trial.healed();
  },
};

export const transportEdits: readonly Experiment[] = [lowered, rotated];
