/** Execute, then time out: the request is carried out, its reply is lost and the connection reset. Nobody can tell which. */
import type { Experiment } from '../experiment.ts';
import type { Role } from '../fleet.ts';
import { commands, commitOf, type ProxyRule, statement, statements } from '../proxy-rule.ts';
import { edgeTimeoutMs } from '../trial.ts';

const recipients = 300;

interface Call {
  readonly role: Role;
  readonly server: 'mysql' | 'redis';
  readonly what: string;
  readonly matches: ProxyRule['matches'];
  /** Its first, its third, ...: an experiment for each. */
  readonly nth: readonly number[];
}

const calls: readonly Call[] = [
  { role: 'scheduler', server: 'mysql', what: 'page', matches: commitOf(statements.page), nth: [1] },
  { role: 'dispatcher', server: 'mysql', what: 'grants', matches: commitOf(statements.dispatch), nth: [1] },
  { role: 'dispatcher', server: 'redis', what: 'jobs', matches: statement(commands.enqueueRender), nth: [1] },
  {
    role: 'render',
    server: 'mysql',
    what: 'recipients',
    matches: statement(statements.recipients),
    nth: [1],
  },
  { role: 'render', server: 'redis', what: 'messages', matches: statement(commands.storeRendered), nth: [1] },
  { role: 'render', server: 'redis', what: 'send job', matches: statement(commands.enqueueSend), nth: [1] },
  { role: 'send', server: 'mysql', what: 'claim', matches: commitOf(statements.claim), nth: [1] },
  { role: 'send', server: 'mysql', what: 'intent', matches: commitOf(statements.intent), nth: [1, 4] },
  { role: 'send', server: 'mysql', what: 'outcomes', matches: commitOf(statements.outcome), nth: [1, 5] },
  { role: 'send', server: 'mysql', what: 'end of a grant', matches: commitOf(statements.end), nth: [1] },
  {
    role: 'send',
    server: 'redis',
    what: 'reading of messages',
    matches: statement(commands.readRendered),
    nth: [1],
  },
  {
    role: 'send',
    server: 'redis',
    what: 'acknowledgement',
    matches: ({ text }) => text.includes('send-campaign') && commands.finishJob.test(text),
    nth: [1],
  },
];

function lostOnce({ role, server, what, matches }: Call, nth: number): Experiment {
  return {
    name: `${server} loses the reply to ${role}: ${what} ${nth}`,
    group: 'lost replies',
    injected: `${server} carries out the ${role}'s ${what} (number ${nth}); the reply is lost`,
    expected: 'nothing lost, doubled or in doubt',
    mostSettled: 0,
    async run(trial) {
      const cut = trial.rule(role, server, { action: 'cutReply', matches, nth });
      await trial.launch(recipients);
      await cut.waitForHit(edgeTimeoutMs);
      trial.healed();
    },
  };
}

/** Again and again while the campaign runs: whatever statement comes, in whatever stage. */
function lostOften(server: 'mysql' | 'redis', everyNth: number): Experiment {
  return {
    name: `${server} loses every ${everyNth}th reply`,
    group: 'lost replies',
    injected: `every ${everyNth}th reply of ${server} to each stage is lost, for 4 s`,
    expected: 'nothing lost, doubled or in doubt',
    mostSettled: 0,
    async run(trial) {
      const stages: readonly Role[] = ['scheduler', 'dispatcher', 'render', 'send'];
      for (const role of stages) {
        trial.rule(role, server, { action: 'cutReply', matches: () => true, nth: everyNth, everyNth });
      }
      await trial.launch(recipients);
      await trial.pause(4_000);
      trial.installation.healProxies();
      trial.healed();
    },
  };
}

export const lostReplies: readonly Experiment[] = [
  ...calls.flatMap((call) => call.nth.map((nth) => lostOnce(call, nth))),
  lostOften('mysql', 29),
  lostOften('redis', 17),
];
