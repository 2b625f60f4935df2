/** SIGKILL of a send worker at each edge of a message's life. The edge is frozen first, so that the kill always hits it. */

import type { Rule } from '../../smtp-sink/rule.ts';
import { doubtBound, type Experiment } from '../experiment.ts';
import { commands, commitOf, type ProxyRule, statement, statements } from '../proxy-rule.ts';
import { edgeTimeoutMs, type Trial } from '../trial.ts';

const recipients = 400;

function killedAtStatement(name: string, edge: string, rule: ProxyRule, mostSettled: number): Experiment {
  return {
    name,
    group: 'send worker killed',
    injected: `SIGKILL ${edge}`,
    expected: mostSettled === 0 ? 'nothing lost, doubled or in doubt' : `at most ${mostSettled} in doubt`,
    mostSettled,
    async run(trial) {
      await trial.launch(recipients);
      await trial.killAt('send', 'mysql', rule);
    },
  };
}

async function killWhenStalled(trial: Trial, rule: Rule): Promise<void> {
  const id = trial.sink.addRule({ ...rule, id: 'edge' });
  await trial.launch(recipients, { inDoubtPolicy: 'resend' });
  await trial.sink.waitForHits(id, 1, { timeoutMs: edgeTimeoutMs });
  await trial.kill('send');
  trial.sink.setRules([]);
  trial.sink.release();
  await trial.fleet.start('send');
  trial.healed();
}

function killedOnTheWire(name: string, edge: string, rule: Rule): Experiment {
  return {
    name,
    group: 'send worker killed',
    injected: `SIGKILL ${edge}`,
    expected: `at most ${doubtBound} in doubt, all resent by policy; only these may double`,
    mostSettled: doubtBound,
    run: (trial) => killWhenStalled(trial, rule),
  };
}

const stalledAt = (stage: Rule['stage'], more: Partial<Rule> = {}): Rule => ({
  stage,
  when: { nth: 40 },
  action: { do: 'stall' },
  ...more,
});

export const sendKilled: readonly Experiment[] = [
  killedAtStatement(
    'send killed after its claim',
    'when the claim is committed, before it hears of it',
    { action: 'holdReply', matches: commitOf(statements.claim) },
    0,
  ),
  killedAtStatement(
    'send killed before its intent is committed',
    'when the third intent is written and not committed',
    { action: 'holdRequest', matches: commitOf(statements.intent), nth: 3 },
    doubtBound,
  ),
  killedAtStatement(
    'send killed after its intent is committed',
    'when the third intent is committed, before it hears of it',
    { action: 'holdReply', matches: commitOf(statements.intent), nth: 3 },
    doubtBound,
  ),
  killedOnTheWire('send killed before the 354', 'while a connection waits for the 354', stalledAt('data')),
  killedOnTheWire(
    'send killed mid-body',
    'while a message is half transmitted',
    stalledAt('body', { afterBytes: 200 }),
  ),
  killedOnTheWire(
    'send killed after the dot',
    'after the final dot, which the server has not taken',
    stalledAt('dot'),
  ),
  killedOnTheWire(
    'send killed after the dot, accepted',
    'after the final dot, which the server has taken and not answered',
    stalledAt('dot', { action: { do: 'stall', takesEffect: true } }),
  ),
  killedAtStatement(
    'send killed after 250',
    'after a 250, before any outcome is written',
    { action: 'holdRequest', matches: statement(statements.outcome) },
    doubtBound,
  ),
  killedAtStatement(
    'send killed after the outcome',
    'when outcomes are committed, before it hears of it',
    { action: 'holdReply', matches: commitOf(statements.outcome), nth: 2 },
    doubtBound,
  ),
  killedAtStatement(
    'send killed before its grant ends',
    'when all is sent and written, before the chunk is counted',
    { action: 'holdRequest', matches: statement(statements.end) },
    0,
  ),
  {
    name: 'send killed before its job is acknowledged',
    group: 'send worker killed',
    injected: 'SIGKILL when all is done, before the job leaves the belt',
    expected: 'nothing lost, doubled or in doubt',
    mostSettled: 0,
    async run(trial) {
      await trial.launch(recipients);
      await trial.killAt('send', 'redis', {
        action: 'holdRequest',
        matches: ({ text }) => text.includes('send-campaign') && commands.finishJob.test(text),
      });
    },
  },
  {
    name: 'send killed on the wire, assumed delivered',
    group: 'send worker killed',
    injected: 'SIGKILL after the final dot, under the policy `assume_delivered`',
    expected: `nothing doubled; at most ${doubtBound} assumed delivered`,
    mostSettled: doubtBound,
    mostDoubled: 0,
    async run(trial) {
      const id = trial.sink.addRule({ ...stalledAt('dot'), id: 'edge' });
      await trial.launch(recipients, { inDoubtPolicy: 'assume_delivered' });
      await trial.sink.waitForHits(id, 1, { timeoutMs: edgeTimeoutMs });
      await trial.kill('send');
      trial.sink.setRules([]);
      trial.sink.release();
      await trial.fleet.start('send');
      trial.healed();
    },
  },
];
