/** No new connection gets as far as a message: the login or the TLS handshake fails. That is no recipient's fault. */
import type { Rule } from '../../smtp-sink/rule.ts';
import type { Experiment } from '../experiment.ts';
import { longLease } from '../settings.ts';
import { edgeTimeoutMs, type Trial } from '../trial.ts';

interface Failure {
  readonly name: string;
  readonly rule: Rule;
  readonly smtpSettings: Readonly<Record<string, unknown>>;
}

const credentials = { user: 'shop', pass: 'password' };
const startTls = { tls: 'starttls', tlsVerify: false };
/** One that ends connections at work, one a probe that fails, one that was held back. */
const failedTimes = 3;

const failures: readonly Failure[] = [
  {
    name: 'login refused',
    rule: { stage: 'auth', action: { do: 'reply', code: 535, text: '5.7.8 not you' } },
    smtpSettings: { auth: { username: credentials.user } },
  },
  {
    name: 'TLS handshake cut',
    rule: { stage: 'tls', action: { do: 'hangup' } },
    smtpSettings: startTls,
  },
  {
    name: 'garbage in place of the TLS handshake',
    rule: { stage: 'tls', action: { do: 'garbage', bytes: 200 } },
    smtpSettings: startTls,
  },
];

function toExperiment({ name, rule, smtpSettings }: Failure): Experiment {
  return {
    name: `SMTP: ${name}`,
    group: 'SMTP',
    injected: `${name} on every new connection in the middle of a campaign, until none is left; nothing for 1 s; then healed`,
    expected: 'sending resumes by itself; no attempt is used up; nothing lost, doubled or in doubt',
    settings: longLease,
    sink: { credentials },
    mostSettled: 0,
    async run(trial) {
      trial.slowDown();
      await trial.launch(500, {
        smtpSettings,
        secret: { password: credentials.pass },
        limits: { messagesPerConnection: 10, maxConnections: 5 },
      });
      await trial.waitForAccepted(100);
      const id = trial.sink.addRule(rule);
      await trial.sink.waitForHits(id, failedTimes, { timeoutMs: edgeTimeoutMs });
      await trial.sink.waitForConnections(0, { timeoutMs: edgeTimeoutMs });
      await trial.assertSilence(1_000);
      trial.sink.setRules([]);
      trial.healed();
      await trial.waitForEnd();
      await assertOneAttemptEach(trial);
    },
    recoversWithinMs: 20_000,
  };
}

async function assertOneAttemptEach(trial: Trial): Promise<void> {
  const rows = await trial.installation.db.rows(
    'SELECT 1 FROM deliveries WHERE tenant_id IN (?) AND attempts <> 1',
    [trial.tenantIds],
  );
  if (rows.length > 0) throw new Error(`${rows.length} deliveries did not take exactly one attempt`);
}

export const smtpOpening: readonly Experiment[] = failures.map(toExperiment);
