import { describe, it } from 'vitest';
import type { Rule } from '../testing/smtp-sink/rule.ts';
import { conformance, type PeerBehaviour } from './conformance.ts';
import { messageTo, nothingOpen, startFixture } from './smtp-fixture.ts';

const shortLimits = { envelopeTimeoutMs: 200, acceptTimeoutMs: 200 };

describe.each([{ pipelining: true }, { pipelining: false }])(
  'the contract (pipelining $pipelining)',
  ({ pipelining }) => {
    const behaviours: Record<PeerBehaviour, Rule[]> = {
      accept: [],
      'refuse for good': [
        {
          stage: 'rcpt',
          action: { do: 'reply', code: 550, text: `5.1.1 No\tsuch\x07 user ${'x'.repeat(300)}` },
        },
      ],
      'refuse for now': [{ stage: 'rcpt', action: { do: 'reply', code: 451, text: '4.3.0 Later' } }],
      'break before the body': [{ stage: 'rcpt', action: { do: 'reset' } }],
      'break after the body': [{ stage: 'dot', action: { do: 'reset' } }],
      'say nothing after the body': [{ stage: 'dot', action: { do: 'stall' } }],
    };

    it.each(conformance.map((requirement) => [requirement.name, requirement] as const))(
      '%s',
      async (_, requirement) => {
        const { sink, transport, setRules } = await startFixture({
          sink: { extensions: { pipelining } },
          limits: shortLimits,
        });
        const peer = {
          behave: (behaviour: PeerBehaviour) => setRules(...behaviours[behaviour]),
          accepted: () => sink.accepted().log.flatMap(({ to }) => to),
          allClosed: () => nothingOpen(sink),
          leave: () => sink.stop(),
        };
        const messages = (count: number) =>
          Array.from({ length: count }, (_, i) => messageTo(`user${i}@example.org`));
        await requirement.check({ transport, peer, messages });
        await sink.stop();
      },
    );
  },
);
