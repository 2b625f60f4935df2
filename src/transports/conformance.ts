/**
 * What every transport must do, whatever it speaks: checks that a test file runs against the transport and a scripted other side.
 * Kept apart from any test framework; each check throws when the requirement isn't met.
 */
import assert from 'node:assert/strict';
import type { Courier, OutboundMessage, Outcome, Transport } from './contract.ts';

/** What the other side does with the messages to come. */
export type PeerBehaviour =
  | 'accept'
  | 'refuse for good'
  | 'refuse for now'
  | 'break before the body'
  | 'break after the body'
  | 'say nothing after the body';

/** The other side of the transport under test. */
export interface Peer {
  behave(behaviour: PeerBehaviour): void;
  /** Recipients of what it has accepted, in the order of arrival. */
  accepted(): readonly string[];
  /** Resolves when no connection is open to it; rejects when one stays. */
  allClosed(): Promise<void>;
  /** Ends all connections and takes no more. */
  leave(): Promise<void>;
}

export interface TransportUnderTest {
  readonly transport: Transport;
  readonly peer: Peer;
  /** Some messages, each to a recipient of its own. */
  messages(count: number): readonly OutboundMessage[];
}

export interface Requirement {
  readonly name: string;
  check(subject: TransportUnderTest): Promise<void>;
}

export const conformance: readonly Requirement[] = [
  {
    name: 'answers each message with one outcome, in their order',
    async check(subject) {
      const courier = await openCourier(subject);
      const messages = subject.messages(subject.transport.capabilities.messagesPerCall);
      const outcomes = await courier.deliver(messages, always);
      assert.deepEqual(
        kinds(outcomes),
        messages.map(() => 'accepted'),
      );
      assert.deepEqual(subject.peer.accepted(), messages.map(recipientOf));
    },
  },
  {
    name: 'answers an empty call with nothing',
    async check(subject) {
      const courier = await openCourier(subject);
      assert.deepEqual(await courier.deliver([], always), []);
      assert.equal(courier.isUsable, true);
    },
  },
  {
    name: 'carries one call after another',
    async check(subject) {
      const courier = await openCourier(subject);
      const messages = subject.messages(3);
      for (const message of messages) assert.equal(await deliverOne(courier, message), 'accepted');
      assert.deepEqual(subject.peer.accepted(), messages.map(recipientOf));
    },
  },
  {
    name: 'asks for the next message at most once a call, and transmits each once, in their order',
    async check(subject) {
      const courier = await openCourier(subject);
      const messages = subject.messages(5);
      for (const [i, message] of messages.entries()) {
        let asked = 0;
        const next = () => {
          asked++;
          return messages[i + 1];
        };
        assert.deepEqual(kinds(await courier.deliver([message], always, next)), ['accepted']);
        assert.ok(asked <= 1);
      }
      assert.deepEqual(subject.peer.accepted(), messages.map(recipientOf));
    },
  },
  ...(['another message is handed over', 'it is closed', 'it may not start'] as const).map(
    (instead): Requirement => ({
      name: `transmits nothing of a message that was announced where ${instead}`,
      async check(subject) {
        const courier = await openCourier(subject);
        const [first, second, announced, other] = subject.messages(4) as [
          OutboundMessage,
          OutboundMessage,
          OutboundMessage,
          OutboundMessage,
        ];
        await courier.deliver([first], always);
        let isAnnounced = false;
        await courier.deliver([second], always, () => {
          isAnnounced = true;
          return announced;
        });
        // A transport that announces nothing has nothing to take back.
        if (!isAnnounced) return;
        if (instead === 'it is closed') await courier.close();
        const message = instead === 'another message is handed over' ? other : announced;
        const mayStart = () => instead !== 'it may not start';
        assert.deepEqual(kinds(await courier.deliver([message], mayStart)), ['untransmitted']);
        assert.equal(courier.isUsable, false);
        await courier.close();
        await subject.peer.allClosed();
        assert.deepEqual(subject.peer.accepted(), [first, second].map(recipientOf));
      },
    }),
  ),
  {
    name: 'asks once whether it may start, and transmits nothing when it may not',
    async check(subject) {
      const courier = await openCourier(subject);
      let asked = 0;
      const outcomes = await courier.deliver(subject.messages(1), () => ++asked > 1);
      assert.deepEqual(kinds(outcomes), ['untransmitted']);
      assert.equal(asked, 1);
      await courier.close();
      await subject.peer.allClosed();
      assert.deepEqual(subject.peer.accepted(), []);
    },
  },
  {
    name: 'rejects when the question throws: that is a bug, and nothing is transmitted',
    async check(subject) {
      const courier = await openCourier(subject);
      const bug = new Error('bug');
      const throwing = (): never => {
        throw bug;
      };
      await assert.rejects(courier.deliver(subject.messages(1), throwing), bug);
      await courier.close();
      await subject.peer.allClosed();
      assert.deepEqual(subject.peer.accepted(), []);
    },
  },
  {
    name: 'tells a refusal for good from one for now, and the next message is none the worse',
    async check(subject) {
      const messages = subject.messages(4);
      subject.peer.behave('refuse for good');
      assert.equal(await deliverFresh(subject, messages[0]), 'rejected');
      subject.peer.behave('refuse for now');
      assert.equal(await deliverFresh(subject, messages[1]), 'deferred');
      subject.peer.behave('accept');
      assert.equal(await deliverFresh(subject, messages[2]), 'accepted');
    },
  },
  {
    name: 'says of a refusal what it does to others, and for how long',
    async check(subject) {
      for (const behaviour of ['refuse for good', 'refuse for now'] as const) {
        subject.peer.behave(behaviour);
        const courier = await openCourier(subject);
        const [outcome] = await courier.deliver(subject.messages(1), always);
        assert.ok(outcome?.kind === 'rejected' || outcome?.kind === 'deferred');
        assert.ok(outcome.effect);
        const { action, durationMs } = outcome.effect;
        assert.equal(durationMs !== undefined, action === 'rest' || action === 'pause_sender');
      }
    },
  },
  {
    name: 'a connection lost before the body is a message that was not transmitted',
    async check(subject) {
      const courier = await openCourier(subject);
      subject.peer.behave('break before the body');
      assert.equal(await deliverOne(courier, subject.messages(1)[0]), 'untransmitted');
      assert.equal(courier.isUsable, false);
    },
  },
  ...(['break after the body', 'say nothing after the body'] as const).map(
    (behaviour): Requirement => ({
      name: `${behaviour}: nobody knows whether the message was accepted`,
      async check(subject) {
        const courier = await openCourier(subject);
        subject.peer.behave(behaviour);
        assert.equal(await deliverOne(courier, subject.messages(1)[0]), 'unknown');
        assert.equal(courier.isUsable, false);
      },
    }),
  ),
  {
    name: 'a courier whose other side has left transmits nothing',
    async check(subject) {
      const courier = await openCourier(subject);
      await subject.peer.leave();
      assert.equal(await deliverOne(courier, subject.messages(1)[0]), 'untransmitted');
      assert.equal(courier.isUsable, false);
    },
  },
  {
    name: 'says why it could not be opened instead of throwing',
    async check(subject) {
      await subject.peer.leave();
      const opened = await subject.transport.open();
      assert.equal(opened.kind, 'failed');
    },
  },
  {
    name: 'can be closed twice, and is no longer usable',
    async check(subject) {
      const courier = await openCourier(subject);
      await Promise.all([courier.close(), courier.close()]);
      await courier.close();
      assert.equal(courier.isUsable, false);
      assert.equal(await deliverOne(courier, subject.messages(1)[0]), 'untransmitted');
      await subject.peer.allClosed();
    },
  },
  {
    name: 'closed while it delivers, it still answers',
    async check(subject) {
      const courier = await openCourier(subject);
      subject.peer.behave('say nothing after the body');
      const delivery = courier.deliver(subject.messages(1), () => {
        queueMicrotask(() => void courier.close());
        return true;
      });
      const [outcome] = kinds(await delivery);
      assert.ok(outcome === 'unknown' || outcome === 'deferred' || outcome === 'untransmitted', outcome);
      await subject.peer.allClosed();
    },
  },
  {
    name: 'keeps replies short and free of control characters',
    async check(subject) {
      subject.peer.behave('refuse for good');
      const courier = await openCourier(subject);
      const [outcome] = await courier.deliver(subject.messages(1), always);
      const text = outcome?.reply.text ?? '';
      assert.ok(text.length > 0 && text.length <= 200);
      assert.doesNotMatch(text, /\p{Cc}/u);
    },
  },
];

function always(): boolean {
  return true;
}

async function openCourier({ transport }: TransportUnderTest): Promise<Courier> {
  const opened = await transport.open();
  if (opened.kind === 'failed') assert.fail(`could not open: ${JSON.stringify(opened.failure)}`);
  assert.equal(opened.courier.isUsable, true);
  return opened.courier;
}

async function deliverOne(
  courier: Courier,
  message: OutboundMessage | undefined,
): Promise<string | undefined> {
  assert.ok(message);
  return kinds(await courier.deliver([message], always))[0];
}

async function deliverFresh(subject: TransportUnderTest, message: OutboundMessage | undefined) {
  const courier = await openCourier(subject);
  const kind = await deliverOne(courier, message);
  await courier.close();
  return kind;
}

function kinds(outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome) => outcome.kind);
}

function recipientOf(message: OutboundMessage): string {
  return message.rendered.to;
}
