/** SIGKILL of the stages around sending, at the edges where two systems must agree. */
import type { Experiment } from '../experiment.ts';
import { doubtBound } from '../experiment.ts';
import type { Role } from '../fleet.ts';
import { commands, commitOf, type ProxyRule, statement, statements } from '../proxy-rule.ts';
import { edgeTimeoutMs } from '../trial.ts';

const recipients = 400;

interface Edge {
  readonly role: Role;
  readonly server: 'mysql' | 'redis';
  readonly when: string;
  readonly rule: ProxyRule;
}

function killed({ role, server, when, rule }: Edge): Experiment {
  return {
    name: `${role} killed ${when}`,
    group: 'other workers killed',
    injected: `SIGKILL of the ${role} ${when}`,
    expected: 'nothing lost, doubled or in doubt',
    mostSettled: 0,
    async run(trial) {
      // The fault is armed before there is anything to do.
      const killing = trial.killAt(role, server, rule);
      await Promise.all([killing, trial.launch(recipients)]);
    },
  };
}

/** A send worker dies on the wire, and then the dispatcher while it cleans up. */
function sweeperKilled(when: string, rule: ProxyRule): Experiment {
  return {
    name: `sweeper killed ${when}`,
    group: 'other workers killed',
    injected: `SIGKILL of a send worker on the wire, then of the dispatcher ${when}`,
    expected: `at most ${doubtBound} in doubt, settled once`,
    mostSettled: doubtBound,
    async run(trial) {
      const id = trial.sink.addRule({ stage: 'dot', when: { nth: 40 }, action: { do: 'stall' } });
      await trial.launch(recipients);
      await trial.sink.waitForHits(id, 1, { timeoutMs: edgeTimeoutMs });
      const cleaning = trial.killAt('dispatcher', 'mysql', rule);
      await trial.kill('send');
      trial.sink.setRules([]);
      trial.sink.release();
      await Promise.all([cleaning, trial.fleet.start('send')]);
    },
  };
}

export const othersKilled: readonly Experiment[] = [
  ...(
    [
      {
        role: 'scheduler',
        server: 'mysql',
        when: 'in the middle of an expansion page',
        rule: { action: 'holdReply', matches: statement(statements.page) },
      },
      {
        role: 'scheduler',
        server: 'mysql',
        when: 'when a page is committed, before it hears of it',
        rule: { action: 'holdReply', matches: commitOf(statements.page) },
      },
      {
        role: 'dispatcher',
        server: 'mysql',
        when: 'when grants are committed, before their jobs are queued',
        rule: { action: 'holdReply', matches: commitOf(statements.dispatch) },
      },
      {
        role: 'dispatcher',
        server: 'redis',
        when: 'when jobs are queued, before it hears of it',
        rule: { action: 'holdReply', matches: statement(commands.enqueueRender) },
      },
      {
        role: 'render',
        server: 'mysql',
        when: 'when it has read its recipients',
        rule: { action: 'holdReply', matches: statement(statements.recipients) },
      },
      {
        role: 'render',
        server: 'redis',
        when: 'when messages are stored, before the send job is queued',
        rule: { action: 'holdReply', matches: statement(commands.storeRendered) },
      },
    ] as const satisfies readonly Edge[]
  ).map(killed),
  sweeperKilled('before a takeover is committed', {
    action: 'holdRequest',
    matches: commitOf(statements.takeover),
  }),
  sweeperKilled('when a takeover is committed', {
    action: 'holdReply',
    matches: commitOf(statements.takeover),
  }),
  sweeperKilled('when a doubt is settled', { action: 'holdReply', matches: commitOf(statements.settle) }),
];
