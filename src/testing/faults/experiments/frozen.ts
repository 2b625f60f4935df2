/** SIGSTOP for longer than a lease, as a stopped virtual machine or a long garbage collection; then the sleeper wakes and believes all is as it was. */

import { deliveryStates } from '../../../ledger/states.ts';
import type { Rule } from '../../smtp-sink/rule.ts';
import { waitFor } from '../../wait-for.ts';
import { doubtBound, type Experiment } from '../experiment.ts';
import type { Role, Worker } from '../fleet.ts';
import { edgeTimeoutMs, type Trial } from '../trial.ts';

const wakingMs = 1_500;
const connections = 4;

/** The send worker is frozen while connections hang at the rule's edge; a second one takes its place. */
async function freezeAt(trial: Trial, rule: Rule, recipients: number): Promise<Worker> {
  const sleeper = trial.worker('send');
  const id = trial.sink.addRule({ ...rule, id: 'edge' });
  await trial.launch(recipients, { limits: { maxConnections: connections } });
  await trial.sink.waitForHits(id, Math.min(connections, recipients), { timeoutMs: edgeTimeoutMs });
  // Every connection hangs at the edge; the outcomes of what went before are written meanwhile.
  await trial.pause(300);
  sleeper.freeze();
  trial.sink.setRules([]);
  await trial.fleet.start('send');
  return sleeper;
}

/** It wakes when all is over, finds what it waited for, and is given time to do harm. */
async function wakeAfterEnd(trial: Trial, sleeper: Worker): Promise<void> {
  try {
    await trial.waitForEnd();
  } finally {
    sleeper.thaw();
    trial.sink.release();
  }
  await trial.pause(wakingMs);
  trial.healed();
}

const stall = (stage: Rule['stage'], more: Partial<Rule> = {}): Rule => ({
  stage,
  when: { fromNth: 30 },
  action: { do: 'stall' },
  ...more,
});

export const frozen: readonly Experiment[] = [
  {
    name: 'send frozen before the 354',
    group: 'frozen workers',
    injected:
      'SIGSTOP while connections wait for the 354; taken over, settled, sent by another; then SIGCONT and the 354',
    expected: 'the sleeper sends nothing: no body starts after its lease',
    mostSettled: doubtBound,
    mostDoubled: 0,
    async run(trial) {
      await wakeAfterEnd(trial, await freezeAt(trial, stall('data'), 300));
    },
  },
  {
    name: 'send frozen with messages waiting',
    group: 'frozen workers',
    injected:
      'SIGSTOP under load, with most of its grants not begun; taken over; SIGCONT while another sends them',
    expected: 'the sleeper starts nothing: its intents fail, and only what was attempted was in doubt',
    mostSettled: doubtBound,
    async run(trial) {
      const sleeper = trial.worker('send');
      trial.slowDown();
      await trial.launch(1_500);
      await trial.waitForAccepted(60);
      sleeper.freeze();
      await trial.fleet.start('send');
      await trial.waitForAccepted(900);
      sleeper.thaw();
      trial.healed();
    },
  },
  {
    name: 'send frozen mid-body',
    group: 'frozen workers',
    injected:
      'SIGSTOP while messages are half transmitted; taken over, settled, sent by another; then SIGCONT',
    expected: 'only what was on the wire may double, and all of it was in doubt',
    mostSettled: doubtBound,
    mostDoubled: connections,
    async run(trial) {
      await wakeAfterEnd(trial, await freezeAt(trial, stall('body', { afterBytes: 100 }), 300));
    },
  },
  {
    name: 'send frozen after the dot, wakes in time',
    group: 'frozen workers',
    injected: 'SIGSTOP after the final dot for longer than the lease; SIGCONT before doubts are settled',
    expected: 'its late outcomes settle the doubts: nothing lost or doubled',
    settings: { leaseMs: 2_500, settleAfterMs: 20_000 },
    mostSettled: 0,
    async run(trial) {
      const sleeper = await freezeAt(trial, stall('dot'), 300);
      await trial.waitForCount('the takeover', deliveryStates.in_doubt, 1);
      sleeper.thaw();
      trial.sink.release();
      trial.healed();
    },
  },
  {
    name: "a sleeper's late outcome meets its successor's attempt",
    group: 'frozen workers',
    injected:
      'a message frozen before the 354 is resent; while the successor waits for its 250, the sleeper wakes and retracts',
    expected: "the sleeper's outcome carries an old epoch and changes nothing: one copy",
    mostSettled: 1,
    mostDoubled: 0,
    async run(trial) {
      const sleeper = await freezeAt(trial, { ...stall('data'), when: { nth: 1 } }, 1);
      const id = trial.sink.addRule({ id: 'successor', stage: 'dot', action: { do: 'stall' }, times: 1 });
      await trial.sink.waitForHits(id, 1, { timeoutMs: edgeTimeoutMs });
      sleeper.thaw();
      trial.sink.release('edge');
      await trial.pause(wakingMs);
      trial.sink.release();
      trial.healed();
    },
  },
  frozenLeader('dispatcher'),
  frozenLeader('scheduler'),
];

/** The leader is frozen for longer than its term, and wakes while another leads. */
function frozenLeader(role: 'dispatcher' | 'scheduler'): Experiment {
  return {
    name: `${role} frozen for longer than its term`,
    group: 'frozen workers',
    injected: `SIGSTOP of the leading ${role} under load until another leads; then SIGCONT, under load again`,
    expected: 'nothing lost, doubled or in doubt',
    mostSettled: 0,
    async run(trial) {
      const sleeper = trial.worker(role);
      trial.slowDown();
      await trial.launch(300);
      await trial.waitForAccepted(1);
      const before = await readLeader(trial, role);
      sleeper.freeze();
      await trial.launch(300);
      await trial.fleet.start(role);
      const isReplaced = async () => ![undefined, before].includes(await readLeader(trial, role));
      await waitFor('another leader', isReplaced, edgeTimeoutMs);
      sleeper.thaw();
      await trial.launch(300);
      trial.healed();
    },
  };
}

async function readLeader(trial: Trial, role: Role): Promise<string | undefined> {
  const row = await trial.installation.db.first<{ owner: string }>(
    'SELECT owner FROM leases WHERE name = ? AND until > NOW(3)',
    [role],
  );
  return row?.owner;
}
