/** What a server does wrong at each point of a dialogue, several times in one campaign. */

import type { Action, Rule, Stage } from '../../smtp-sink/rule.ts';
import type { Experiment } from '../experiment.ts';
import type { FleetSettings } from '../settings.ts';
import { edgeTimeoutMs } from '../trial.ts';

const recipients = 200;
const times = 4;
/** Nobody dies here: only doubts have to be settled soon. */
const settings: FleetSettings = { leaseMs: 30_000, settleAfterMs: 1_500 };
const limits = {
  connectTimeoutMs: 500,
  greetingTimeoutMs: 500,
  handshakeTimeoutMs: 1_000,
  envelopeTimeoutMs: 700,
  acceptTimeoutMs: 900,
};

interface Fault {
  readonly name: string;
  readonly stage: Stage;
  readonly action: Action;
  readonly more?: Partial<Rule>;
  /** Nobody can tell whether the message was taken: in doubt, exactly as often as it happens. */
  readonly isDoubtful?: boolean;
}

const hangup: Action = { do: 'hangup' };
const reset: Action = { do: 'reset' };
const stall: Action = { do: 'stall' };
const notNow: Action = { do: 'reply', code: 421, text: '4.3.2 not now' };

const faults: readonly Fault[] = [
  { name: 'banner never comes', stage: 'connect', action: stall },
  { name: '421 in place of the banner', stage: 'connect', action: notNow },
  { name: 'garbage in place of the banner', stage: 'connect', action: { do: 'garbage', bytes: 200 } },
  { name: 'reset at EHLO', stage: 'ehlo', action: reset },
  { name: '421 at MAIL', stage: 'mail', action: notNow },
  { name: '421 at RCPT', stage: 'rcpt', action: notNow },
  { name: 'hang before the 354', stage: 'data', action: stall },
  { name: 'reset before the 354', stage: 'data', action: reset },
  { name: '421 in place of the 354', stage: 'data', action: notNow },
  { name: 'hang mid-body', stage: 'body', action: stall, more: { afterBytes: 150 }, isDoubtful: true },
  { name: 'reset mid-body', stage: 'body', action: reset, more: { afterBytes: 150 }, isDoubtful: true },
  { name: 'hang after the dot', stage: 'dot', action: stall, isDoubtful: true },
  {
    name: 'hang after the dot, accepted',
    stage: 'dot',
    action: { do: 'stall', takesEffect: true },
    isDoubtful: true,
  },
  { name: 'closed after the dot', stage: 'dot', action: hangup, isDoubtful: true },
  {
    name: 'closed after the dot, accepted',
    stage: 'dot',
    action: { do: 'hangup', takesEffect: true },
    isDoubtful: true,
  },
  {
    name: 'reset after the dot, accepted',
    stage: 'dot',
    action: { do: 'reset', takesEffect: true },
    isDoubtful: true,
  },
  { name: '421 after the dot', stage: 'dot', action: notNow },
  {
    name: 'garbage after the dot, accepted',
    stage: 'dot',
    action: { do: 'garbage', takesEffect: true },
    isDoubtful: true,
  },
  { name: 'slow drip of the 250', stage: 'dot', action: { do: 'drip', everyMs: 10 } },
  { name: 'closed right after the 250', stage: 'accepted', action: hangup },
];

function toExperiment({ name, stage, action, more, isDoubtful = false }: Fault): Experiment {
  return {
    name: `SMTP: ${name}`,
    group: 'SMTP',
    injected: `${name}, ${times} times`,
    expected: isDoubtful
      ? `${times} in doubt and resent, no other doubled`
      : 'nothing lost, doubled or in doubt',
    settings,
    mostSettled: isDoubtful ? times : 0,
    async run(trial) {
      const everyNth = stage === 'connect' || stage === 'ehlo' ? 1 : 7;
      const rule = { stage, action, times, when: { everyNth }, ...more };
      const id = trial.sink.addRule(rule);
      await trial.launch(recipients, { limits: { ...limits, maxConnections: 5, messagesPerConnection: 10 } });
      await trial.sink.waitForHits(id, times, { timeoutMs: edgeTimeoutMs });
      trial.healed();
    },
    recoversWithinMs: 20_000,
  };
}

const refused: Experiment = {
  name: 'SMTP: nobody listens',
  group: 'SMTP',
  injected:
    'the server is gone for 3 s in the middle of a campaign: open connections reset, new ones refused',
  expected: 'at most what was on the wire in doubt',
  settings,
  mostSettled: 5,
  async run(trial) {
    trial.sink.addRule({ stage: 'dot', action: { do: 'delay', ms: 20 } });
    await trial.launch(recipients, { limits: { ...limits, maxConnections: 5 } });
    await trial.sink.waitForAccepted(50, { timeoutMs: edgeTimeoutMs });
    await trial.sink.stop();
    await trial.pause(3_000);
    await trial.sink.start();
    trial.healed();
  },
  recoversWithinMs: 20_000,
};

export const smtp: readonly Experiment[] = [...faults.map(toExperiment), refused];
