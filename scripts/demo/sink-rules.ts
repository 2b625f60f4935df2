/** How the demo's other side behaves: mostly kind, here and there like the real one. */
import type { Rule } from '../../src/testing/smtp-sink/rule.ts';

export const demoRules: readonly Rule[] = [
  {
    id: 'unknown-user',
    stage: 'rcpt',
    when: { addressShare: 0.008 },
    action: { do: 'say', refusal: 'unknownUser' },
  },
  {
    id: 'greylisted',
    stage: 'rcpt',
    when: { addressShare: 0.02 },
    timesPerAddress: 1,
    action: { do: 'reply', code: 451, text: '4.7.1 Greylisted, please try again' },
  },
  {
    id: 'mailbox-full',
    stage: 'rcpt',
    when: { addressShare: 0.002 },
    action: { do: 'say', refusal: 'mailboxFull' },
    timesPerAddress: 2,
  },
];
